#include "host/archive/guard.hpp"

#include <algorithm>
#include <fstream>

#include "host/archive/hdf5.hpp"
#include "host/archive/user_block.hpp"
#include "tests/catch.hpp"
#include "tests/host/archive/sample_archive.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using hdf5::Handle;
using test::TemporaryFolder;

namespace {

/// An HDF5 file that `fill` makes, behind a user block with a matching digest, and what Archive::open says of it.
template <class Fill>
std::string problem(Fill&& fill) {
  const TemporaryFolder folder;
  const std::filesystem::path raw = folder.path() / "raw.h5";
  hdf5::prepare();
  {
    const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_userblock(creation, kUserBlockSize);
    const Handle file(H5Fcreate(raw.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT), H5Fclose);
    REQUIRE(file >= 0);
    fill(file);
  }
  std::string bytes = test::content_of(raw);
  const auto block = make_user_block(std::as_bytes(std::span(bytes)).subspan(kUserBlockSize));
  std::memcpy(bytes.data(), block.data(), block.size());
  const auto path = folder.write("a.h5", bytes);
  const std::string text = test::archive_error(ErrorCode::bad_data, [&] { Archive::open(path); });
  return text.rfind(path.string() + ": ", 0) == 0 ? text.substr(path.string().size() + 2) : text;
}

Handle simple(const std::vector<hsize_t>& sizes) {
  return Handle(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose);
}

void dataset(hid_t file, const char* name, hid_t type, hid_t space, hid_t properties) {
  const Handle made(H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose);
  REQUIRE(made >= 0);
}

}  // namespace

TEST_CASE("a sound file of another program passes", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const float values[6] = {};
          const Handle space = simple({6});
          const Handle made(H5Dcreate2(file, "a", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                            H5Dclose);
          H5Dwrite(made, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        }).empty());
}

TEST_CASE("links that lead elsewhere are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) { H5Lcreate_external("/etc/passwd", "/", file, "out", H5P_DEFAULT, H5P_DEFAULT); }) ==
        "/out: a soft or external link; only direct ones are read");
  CHECK(problem([](hid_t file) { H5Lcreate_soft("/", file, "self", H5P_DEFAULT, H5P_DEFAULT); }) ==
        "/self: a soft or external link; only direct ones are read");
}

TEST_CASE("names that no archive has are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const Handle group(H5Gcreate2(file, "a\nb", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
        }).find("' cannot be a name in an archive: ") != std::string::npos);
}

TEST_CASE("groups that contain themselves are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) { H5Lcreate_hard(file, "/", file, "a", H5P_DEFAULT, H5P_DEFAULT); }) ==
        "/a: the same object as another name; archives give each object one");
}

TEST_CASE("groups that are nested too deep are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          std::string path;
          for (int i = 0; i < 20; ++i) {
            path += "/g";
            const Handle group(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
          }
        }) == "/g/g/g/g/g/g/g/g/g/g/g/g/g/g/g/g: groups nested more than 16 deep");
}

TEST_CASE("chunks that are far larger than their array are refused", "[archive][hostile]") {
  const auto with_chunk = [](hsize_t chunk) {
    return problem([&](hid_t file) {
      const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
      H5Pset_chunk(properties, 1, &chunk);
      H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
      H5Pset_deflate(properties, 1);
      const hsize_t size = 8, most = H5S_UNLIMITED;
      dataset(file, "a", H5T_STD_U8LE, Handle(H5Screate_simple(1, &size, &most), H5Sclose), properties);
    });
  };
  CHECK(with_chunk(hsize_t{1} << 24).empty());
  CHECK(with_chunk((hsize_t{1} << 24) + 1) == "/a: a chunk of 16777217 bytes; at most 16777216 are read");
}

TEST_CASE("types that no archive has are refused", "[archive][hostile]") {
  const std::string start = "/a: expected uint8, int32, int64, float32, float64 or texts of fixed length, found ";
  const auto of_type = [](hid_t type) {
    return problem([&](hid_t file) { dataset(file, "a", type, simple({2}), H5P_DEFAULT); });
  };
  const Handle compound(H5Tcreate(H5T_COMPOUND, 4), H5Tclose), varying(H5Tcopy(H5T_C_S1), H5Tclose);
  const Handle list(H5Tvlen_create(H5T_STD_I32LE), H5Tclose), opaque(H5Tcreate(H5T_OPAQUE, 4), H5Tclose);
  const Handle choice(H5Tenum_create(H5T_STD_I32LE), H5Tclose);
  const int one = 1;
  H5Tenum_insert(choice, "one", &one);
  H5Tinsert(compound, "x", 0, H5T_IEEE_F32LE);
  H5Tset_size(varying, H5T_VARIABLE);
  CHECK(of_type(compound) == start + "compound values");
  CHECK(of_type(varying) == start + "texts of varying length");
  CHECK(of_type(list) == start + "lists of varying length");
  CHECK(of_type(opaque) == start + "opaque values");
  CHECK(of_type(choice) == start + "another type");
  CHECK(of_type(H5T_STD_REF_OBJ) == start + "references");
  CHECK(of_type(H5T_IEEE_F64BE) == start + "numbers of another size or order of bytes");
  CHECK(of_type(H5T_STD_I16LE) == start + "numbers of another size or order of bytes");
}

TEST_CASE("attributes that no archive has are refused", "[archive][hostile]") {
  const auto with_attribute = [](hid_t type, hid_t space) {
    return problem([&](hid_t file) {
      const Handle group(H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
      const Handle access(H5Pcreate(H5P_ATTRIBUTE_CREATE), H5Pclose);
      const Handle made(H5Acreate2(group, "a", type, space, access, H5P_DEFAULT), H5Aclose);
      REQUIRE(made >= 0);
    });
  };
  const Handle scalar(H5Screate(H5S_SCALAR), H5Sclose), none(H5Screate(H5S_NULL), H5Sclose);
  const std::string other = "/g@a: expected a single int64, float64 or text of fixed length";
  CHECK(with_attribute(H5T_STD_I64LE, scalar).empty());
  CHECK(with_attribute(H5T_STD_I64LE, simple({2})) == other);
  CHECK(with_attribute(H5T_STD_I64LE, none) == other);
  CHECK(with_attribute(H5T_STD_I32LE, scalar) == other);
  const Handle text(H5Tcopy(H5T_C_S1), H5Tclose), varying(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(varying, H5T_VARIABLE);
  CHECK(with_attribute(varying, scalar) == other);
  CHECK(with_attribute(text, scalar).empty());
}

TEST_CASE("external storage is refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
          H5Pset_external(properties, "/etc/passwd", 0, 8);
          dataset(file, "a", H5T_STD_U8LE, simple({8}), properties);
        }) == "/a: external storage, which lies in other files");
}

TEST_CASE("virtual storage is refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
          const Handle space = simple({8});
          H5Pset_virtual(properties, space, "other.h5", "/a", space);
          dataset(file, "a", H5T_STD_U8LE, space, properties);
        }) == "/a: virtual storage, which is made of other files");
}

TEST_CASE("filters that readers do not know are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
          const hsize_t chunk = 8;
          H5Pset_chunk(properties, 1, &chunk);
          H5Pset_filter(properties, 32001, H5Z_FLAG_OPTIONAL, 0, nullptr);
          dataset(file, "a", H5T_STD_U8LE, simple({8}), properties);
        }) == "/a: filter 32001; only shuffle, gzip and fletcher32 are read");
}

TEST_CASE("too many dimensions are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          dataset(file, "a", H5T_STD_U8LE, simple(std::vector<hsize_t>(9, 1)), H5P_DEFAULT);
        }) == "/a: 9 dimensions; at most 8 are read");
}

TEST_CASE("sizes that the file cannot hold are refused before memory is taken", "[archive][hostile]") {
  const auto claimed = problem([](hid_t file) {
    const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    const hsize_t chunk = 1024;
    H5Pset_chunk(properties, 1, &chunk);
    H5Pset_deflate(properties, 1);
    dataset(file, "a", H5T_IEEE_F64LE, simple({hsize_t{1} << 40}), properties);
  });
  CHECK(claimed.rfind("/a: claims 8796093022208 bytes, which 0 stored bytes of a file of ", 0) == 0);
  const auto overflow = problem([](hid_t file) {
    dataset(file, "a", H5T_IEEE_F64LE, simple({hsize_t{1} << 32, hsize_t{1} << 31, 4}), H5P_DEFAULT);
  });
  CHECK((overflow.rfind("/a: claims more than 2^64 bytes", 0) == 0));
}

TEST_CASE("objects that are neither group nor array are refused", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const Handle type(H5Tcopy(H5T_STD_I32LE), H5Tclose);
          H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        }) == "/type: neither a group nor an array");
}

TEST_CASE("texts that are not UTF-8 are refused", "[archive][hostile]") {
  const auto dataset_text = [](const std::string& text) {
    return problem([&](hid_t file) {
      const Handle type = hdf5::text_type(text.size()), space = simple({1});
      const Handle made(H5Dcreate2(file, "a", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
      H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data());
    });
  };
  const auto attribute_text = [](const std::string& text) {
    return problem([&](hid_t file) {
      const Handle type = hdf5::text_type(text.size()), scalar(H5Screate(H5S_SCALAR), H5Sclose);
      const Handle made(H5Acreate2(file, "b", type, scalar, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
      H5Awrite(made, type, text.data());
    });
  };
  CHECK(dataset_text("caf\xc3\xa9").empty());
  CHECK(attribute_text("caf\xc3\xa9").empty());
  CHECK(dataset_text("caf\xe9") == "/a: holds bytes that are not UTF-8");
  CHECK(attribute_text("caf\xe9") == "/@b: holds bytes that are not UTF-8");
}

TEST_CASE("what a small file may unpack to is bounded", "[archive][hostile]") {
  const auto zeros = [](hsize_t bytes) {
    return problem([&](hid_t file) {
      const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
      const hsize_t chunk = hsize_t{1} << 24;
      H5Pset_chunk(properties, 1, &chunk);
      H5Pset_deflate(properties, 1);
      const Handle made(H5Dcreate2(file, "a", H5T_STD_U8LE, simple({bytes}), H5P_DEFAULT, properties, H5P_DEFAULT),
                        H5Dclose);
      const std::vector<std::uint8_t> values(bytes);
      H5Dwrite(made, H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    });
  };
  CHECK(zeros(hsize_t{256} << 20).empty());
  CHECK(zeros((hsize_t{256} << 20) + 1) ==
        "/a: unpacked, the file has more than 256 MiB up to here; at most 256 MiB are read, or 16 times the file's "
        "size where that is more");
}

TEST_CASE("the guard holds below groups, too", "[archive][hostile]") {
  CHECK(problem([](hid_t file) {
          const Handle group(H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
          H5Lcreate_soft("/", group, "self", H5P_DEFAULT, H5P_DEFAULT);
        }) == "/g/self: a soft or external link; only direct ones are read");
}
