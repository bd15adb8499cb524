#include "host/weights/weight_file.hpp"

#include <algorithm>
#include <cstring>

#include "host/weights/zip_file.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/support/legacy_torch.hpp"

namespace {

using namespace mixop;
using test::bytes_of;
using test::pickled_text;
using Bytes = std::vector<std::byte>;

class File {
 public:
  explicit File(const Bytes& bytes) : path_(folder_.write("weights.bin", bytes)) {}
  std::unique_ptr<WeightFile> open() const { return WeightFile::open(path_); }
  /// What the file is refused for, without its name.
  std::string refusal() const {
    try {
      (void)open();
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::bad_data);
      const std::string text = error.what();
      CHECK(text.starts_with(path_.string() + ": "));
      return text.substr(std::min(text.size(), path_.string().size() + 2));
    }
    return "accepted";
  }

 private:
  test::TemporaryFolder folder_;
  std::filesystem::path path_;
};

NamedValues values(const std::string& name, WeightType type, std::vector<std::int64_t> shape) {
  NamedValues made{{name, type, std::move(shape)}, {}};
  for (std::size_t i = 0; i < made.entry.bytes(); ++i)
    made.bytes.push_back(static_cast<std::byte>(i * 7 + name.size()));
  return made;
}

std::vector<NamedValues> all_types() {
  std::vector<NamedValues> all;
  for (int type = 0; type <= static_cast<int>(WeightType::boolean); ++type)
    all.push_back(values("t." + std::to_string(type), static_cast<WeightType>(type), {2, 3}));
  all.push_back(values("scalar", WeightType::int64, {}));
  all.push_back(values("none", WeightType::float32, {0, 5}));
  return all;
}

void check_same(const WeightFile& file, const std::vector<NamedValues>& expected) {
  REQUIRE(file.entries().size() == expected.size());
  for (const NamedValues& one : expected) {
    const auto found = std::find_if(file.entries().begin(), file.entries().end(),
                                    [&](const WeightEntry& entry) { return entry.name == one.entry.name; });
    REQUIRE(found != file.entries().end());
    CHECK(found->type == one.entry.type);
    CHECK(found->shape == one.entry.shape);
    CHECK(file.read(static_cast<std::size_t>(found - file.entries().begin())) == one.bytes);
  }
}

std::vector<float> floats(const Bytes& bytes) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

/// As torch.save writes a zip archive around a pickle.
Bytes zipped(const std::string& pickle, const std::string& storage = test::sample_values()) {
  return zip_archive(
      {{"a/data.pkl", bytes_of(pickle)}, {"a/data/0", bytes_of(storage)}, {"a/byteorder", bytes_of("little")}});
}

std::string dict_of(const std::string& tensor) { return test::pickle_of("}(" + pickled_text("w") + tensor + "u"); }

TEST_CASE("what is written as PyTorch's file and as safetensors is read back to the same bytes", "[weights]") {
  const std::vector<NamedValues> all = all_types();
  const File torch(torch_file(all)), safe(safetensors_file(all, {{"format", "pt"}}));
  CHECK(std::string(torch.open()->format()) == "PyTorch");
  CHECK(std::string(safe.open()->format()) == "safetensors");
  check_same(*torch.open(), all);
  check_same(*safe.open(), all);
  CHECK(torch_file(all) == torch_file(all));
}

TEST_CASE("a legacy file, a checkpoint's state dictionary, DataParallel's prefix and strides are read", "[weights]") {
  for (const Bytes& bytes : {bytes_of(test::legacy_file()), zipped(test::sample_pickle())}) {
    const File file(bytes);
    const auto opened = file.open();
    REQUIRE(opened->entries().size() == 2);
    CHECK(opened->entries()[0].name == "weight");
    CHECK(opened->entries()[1].name == "turned");
    CHECK(opened->entries()[1].shape == std::vector<std::int64_t>{3, 2});
    CHECK(floats(opened->read(0)) == std::vector<float>{0, 1, 2, 3, 4, 5});
    CHECK(floats(opened->read(1)) == std::vector<float>{0, 3, 1, 4, 2, 5});
  }
}

TEST_CASE("tensors that do not lie within their storage are refused", "[weights][misuse]") {
  const auto refusal = [](unsigned count, unsigned offset, unsigned rows, unsigned columns, unsigned row_stride,
                          unsigned column_stride) {
    return File(zipped(dict_of(test::pickled_tensor("0", count, offset, rows, columns, row_stride, column_stride))))
        .refusal();
  };
  CHECK(refusal(6, 0, 2, 3, 3, 1) == "accepted");
  const std::string beyond = "tensor 'w': reaches beyond its storage of 6 values, or counts them more than once";
  CHECK(refusal(6, 1, 2, 3, 3, 1) == beyond);
  CHECK(refusal(6, 0, 2, 3, 4, 1) == beyond);
  CHECK(refusal(6, 0, 200, 200, 0, 0) == beyond);
  CHECK(refusal(7, 0, 2, 3, 3, 1) == "tensor 'w': its storage '0' is not in the file, or not of the size that it says");
  CHECK(File(zipped(dict_of(test::pickled_tensor("1", 6, 0, 2, 3, 3, 1)))).refusal() ==
        "tensor 'w': its storage '1' is not in the file, or not of the size that it says");
  CHECK(File(zipped(dict_of(test::pickled_tensor("0", 6, 0, 2, 3, 3, 1, "OddStorage")))).refusal() ==
        "tensor 'w': expected a storage of numbers, such as torch.FloatStorage, found another");
}

TEST_CASE("a pickle's classes and functions never run, and what is no data is refused", "[weights][misuse]") {
  const auto refusal = [](const std::string& pickle) { return File(zipped(pickle)).refusal(); };
  const std::string expected = "expected a state dictionary, a checkpoint that holds one or a module, found ";
  CHECK(refusal(test::pickle_of(test::pickled_class("os", "system") + pickled_text("exit 3") + "\x85R")) ==
        expected + "an object made by os system; save model.state_dict()");
  CHECK(refusal(test::pickle_of("]")) == expected + "a list of 0; save model.state_dict()");
  CHECK(refusal(test::pickle_of("i" + std::string("os\nsystem\n")))
            .starts_with("data.pkl: byte 2: opcode 0x69 is none of those that describe data"));
  CHECK(refusal("\x80\x02" + std::string("h\x05.")).starts_with("data.pkl: byte 2: nothing was remembered as 5"));
  CHECK(refusal(std::string("\x80\x02X\xff\xff\xff\xff.", 8))
            .starts_with("data.pkl: byte 2: asks for 4294967295 bytes and 1 are left"));
  CHECK(refusal("\x80\x02NN.").starts_with("data.pkl: byte 4: STOP with other values on the stack"));
  CHECK(refusal("\x80\x07N.").starts_with("data.pkl: byte 0: protocol 7, and 2 to 5 are read"));
}

TEST_CASE("a legacy file that ends early or says two things is refused", "[weights][misuse]") {
  const auto with = [](const std::string& keys, const std::string& storages) {
    return File(bytes_of(test::legacy_file(test::sample_pickle(), keys, storages))).refusal();
  };
  const std::string key = "](" + pickled_text("0") + "e";
  CHECK_THAT(with(key, test::number(std::int64_t{7}) + test::sample_values()),
             Catch::Contains("the storage '0' has 7 values, and its tensors say otherwise"));
  CHECK_THAT(with(key, test::number(std::int64_t{6})),
             Catch::Contains("ends within the storage '0'; is it a part of a file?"));
  CHECK(with("]", "") == "tensor 'module.weight': its storage '0' is not in the file, or not of the size that it says");
}

std::string safetensors(const std::string& header, std::size_t bytes) {
  return test::number(static_cast<std::uint64_t>(header.size())) + header + std::string(bytes, '\0');
}

TEST_CASE("safetensors whose header does not fit its bytes are refused", "[weights][misuse]") {
  const auto refusal = [](const std::string& header, std::size_t bytes) {
    return File(bytes_of(safetensors(header, bytes))).refusal();
  };
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8) == "accepted");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 9) ==
        "its tensors have 8 bytes, and behind the header are 9");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8) ==
        "tensor 'a': its shape and dtype do not make the 8 bytes of its data_offsets");
  CHECK(refusal(R"({"a":{"dtype":"F9","shape":[2],"data_offsets":[0,8]}})", 8) ==
        "tensor 'a': expected a dtype such as F32, found text 'F9'");
  CHECK(
      refusal(
          R"({"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}})",
          8) == "tensor 'b': begins at byte 2, and the one before it ends at 6");
  CHECK(refusal(R"({"a":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8) ==
        "tensor 'a': its shape and dtype do not make the 8 bytes of its data_offsets");
  CHECK(refusal("{}", 0) == "holds no tensors");
  CHECK_THAT(File(bytes_of(test::number(std::uint64_t{1} << 63))).refusal(),
             Catch::Contains("is neither a file of torch.save nor safetensors"));
}

}  // namespace
