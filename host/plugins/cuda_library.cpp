#include "host/plugins/cuda_library.hpp"

#include <dlfcn.h>

#include <string>

#include "host/cuda/library.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

std::string loader_reason() {
  const char* const reason = ::dlerror();
  return reason == nullptr ? "the loader gives no reason" : reason;
}

/// The driver, found where the system has it, or what has its name. Later look-ups of that name end at what is loaded:
/// an empty entry in the search path of NVIDIA's libcusparseLt.so.0 would have them find it in the current folder.
void load_driver(const std::filesystem::path& folder) {
  if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != nullptr) return;
  const std::filesystem::path stand_in = folder / "libmixop_no_driver.so";
  if (::dlopen(stand_in.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == nullptr)
    throw Error(ErrorCode::unsupported,
                stand_in.string() + " cannot be loaded (" + loader_reason() + "); install mixop again");
}

void* open_library(const std::filesystem::path& library) {
  load_driver(library.parent_path());
  // Global, so that plugins find LibTorch's CUDA functions; never unloaded, as nothing of LibTorch is.
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  if (handle != nullptr) return handle;
  throw Error(ErrorCode::unsupported, library.string() + " cannot be loaded (" + loader_reason() +
                                          "); install mixop again, with the LibTorch that it was built with");
}

}  // namespace

void load_cuda(const std::filesystem::path& library) { (void)open_library(library); }

std::int64_t cuda_device_count(const std::filesystem::path& library) {
  void* const symbol = ::dlsym(open_library(library), "mixop_cuda_device_count");
  if (symbol == nullptr)
    throw Error(ErrorCode::unsupported,
                library.string() + " is not of this mixop (" + loader_reason() + "); install mixop again");
  const std::int32_t count = reinterpret_cast<decltype(&mixop_cuda_device_count)>(symbol)();
  if (count < 0)
    throw Error(ErrorCode::failed,
                "LibTorch was asked about CUDA before " + library.string() + " was loaded, which is a defect of mixop");
  return count;
}

}  // namespace mixop
