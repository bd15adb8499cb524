#include "host/data/digest.hpp"

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

TEST_CASE("SHA-256 gives the published digests", "[data][digest]") {
  CHECK(mixop::sha256_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(mixop::sha256_of_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const TempFolder folder;
  const std::string file = folder.write("million", std::string(1'000'000, 'a'));
  CHECK(mixop::sha256_of_file(file) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a data set's digest covers its options and its files, not their folder", "[data][digest]") {
  FakeDataset fake;
  CHECK(mixop::dataset_digest(fake.handle()) == mixop::sha256_of_text("fake\nfake.colour=red\nfake.side=4\n"));
  CHECK(mixop::dataset_digest(fake.handle({{"side", "5"}})) != mixop::dataset_digest(fake.handle()));

  const TempFolder folder;
  const std::string first = folder.write("x/one", "abc"), second = folder.write("two", "");
  const char* files[] = {first.c_str(), second.c_str()};
  fake.table.option_count = 0;
  fake.info.files = files;
  fake.info.file_count = 2;
  CHECK(mixop::dataset_digest(fake.handle()) ==
        mixop::sha256_of_text("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  one\n"
                              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  two\n"));
}

TEST_CASE("a listing stands for files that are too many to be read", "[data][digest]") {
  FakeDataset fake;
  fake.table.option_count = 0;
  fake.info.listing = "abc";
  CHECK(mixop::dataset_digest(fake.handle()) ==
        mixop::sha256_of_text("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  listing\n"));
}

TEST_CASE("a file that cannot be read has no digest", "[data][digest][misuse]") {
  const TempFolder folder;
  const mixop::Error missing = error_of([&] { mixop::sha256_of_file(folder.text() + "/none"); });
  CHECK(missing.what() == folder.text() + "/none: cannot be opened for its digest");
  CHECK(missing.code() == mixop::ErrorCode::bad_data);
  CHECK(error_of([&] { mixop::sha256_of_file(folder.text()); }).what() ==
        folder.text() + ": cannot be read for its digest");
}
