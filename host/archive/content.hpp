#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/process/confined.hpp"

// Private to host/archive: what an HDF5 file says, in a form that a few lines read. The process that parses HDF5 writes
// it, and every other one reads this instead.

namespace mixop {

/// A group, an array or a list of texts.
struct StoredObject {
  enum class Kind : std::uint8_t { group, array, texts };
  Kind kind = Kind::group;
  ElementType type = ElementType::uint8;  ///< of an array
  std::vector<std::uint64_t> shape;       ///< of an array; of texts: how many
  std::uint64_t text_size = 0;            ///< bytes of each text, with the NULs at its end
  std::span<const std::byte> bytes;       ///< of an array or texts
  std::map<std::string, Attribute> attributes;
  std::vector<std::string> children;  ///< of a group, in the order in which they were added
};

/// A text of fixed length without the NULs at its end.
std::string padded_text(std::span<const std::byte> field);

/// Writes objects one after another, a group before what is in it, and each object's attributes after it.
class ContentWriter {
 public:
  explicit ContentWriter(const ConfinedOutput& output) : output_(output) {}
  void object(const std::string& path, const StoredObject& object);
  void attribute(const std::string& name, const Attribute& value);
  /// Says why the file is refused; nothing follows.
  void refuse(const std::string& problem);

 private:
  void number(std::uint64_t value);
  void text(const std::string& value);

  const ConfinedOutput& output_;
};

/// All objects of an archive, by path; "/" is the root.
class Content {
 public:
  /// Believes nothing that `written` says of sizes, names, paths or encoding; bad_data that begins with `name` where it
  /// holds a refusal or is not what ContentWriter writes.
  Content(MappedBytes written, const std::string& name);
  const StoredObject* find(const std::string& path) const;

 private:
  void read();
  StoredObject& add(const std::string& path, StoredObject object);

  MappedBytes written_;
  std::map<std::string, StoredObject> objects_;
};

}  // namespace mixop
