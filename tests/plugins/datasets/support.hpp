#pragma once

#include <dlfcn.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "host/data/dataset_handle.hpp"
#include "mixop/abi/plugin.h"
#include "tests/catch.hpp"

/// A new folder that is removed with the object.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mixop-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string text() const { return path_.string(); }
  /// Writes a file below the folder, making its parents; returns its path.
  std::string write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

 private:
  std::filesystem::path path_;
};

/// The table of a data set in a built plugin, loaded as a shared library.
inline const MixopDataset& dataset_table(const std::string& file, const std::string& component) {
  const std::string path = MIXOP_PLUGIN_BUILD_DIR "/" + file;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  INFO(path);
  REQUIRE(library != nullptr);
  const auto entry = reinterpret_cast<MixopPluginEntry>(dlsym(library, MIXOP_PLUGIN_SYMBOL));
  REQUIRE(entry != nullptr);
  const MixopPluginDescriptor& plugin = *entry();
  const MixopDataset* table = nullptr;
  for (std::uint32_t i = 0; i < plugin.component_count; ++i)
    if (component == plugin.components[i].name) table = static_cast<const MixopDataset*>(plugin.components[i].table);
  REQUIRE(table != nullptr);
  return *table;
}

/// The mixop::Error that `body` throws; a test failure where it throws none.
template <class Body>
mixop::Error error_of(Body&& body) {
  try {
    body();
  } catch (const mixop::Error& error) {
    return error;
  }
  FAIL("expected an error, found none");
  throw;
}
