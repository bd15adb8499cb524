#include "tests/plugins/datasets/cifar/cifar_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

std::string protocol_2(const std::string& rest) { return "\x80\x02" + rest; }

/// Opens a CIFAR-10 folder whose first batch has this content and expects that the file is refused with `what`.
void check_refused(const std::string& bytes, const std::string& what) {
  const TempFolder folder;
  const std::string path = folder.write("cifar-10-batches-py/data_batch_1", bytes);
  const Error error = error_of([&] { open_cifar("cifar10", folder.text()); });
  CHECK(error.what() == "data set 'cifar10': " + path + ": " + what);
  CHECK(error.code() == ErrorCode::bad_data);
}

/// The first test record of a CIFAR-10 set whose batches all have this content.
void check_read(const std::string& bytes) {
  const TempFolder folder;
  for (int i = 1; i <= 5; ++i) folder.write("cifar-10-batches-py/data_batch_" + std::to_string(i), bytes);
  folder.write("cifar-10-batches-py/test_batch", bytes);
  const mixop::DatasetHandle data = open_cifar("cifar10", folder.text());
  CHECK(data.info().records[MIXOP_SPLIT_TRAIN] == 10);
  REQUIRE(data.info().records[MIXOP_SPLIT_TEST] == 2);
  std::string pixels(2 * 3072, '\0');
  std::int64_t labels[2];
  data.read(MIXOP_SPLIT_TEST, 0, 2, reinterpret_cast<std::uint8_t*>(pixels.data()), labels);
  CHECK(pixels == image(0) + image(1));
  CHECK(labels[0] == 3);
  CHECK(labels[1] == 7);
}

/// A pickle of protocol 3 or 4, as Python 3 writes it; `put` fills the memo and `global` names numpy things.
template <class Global>
std::string python3_batch(const std::string& start, const std::string& put, Global global) {
  const auto raw = [&](const std::string& value) { return "C" + byte(static_cast<int>(value.size())) + value + put; };
  const std::string pixels = image(0) + image(1);
  return start + "}" + put + "(" + raw("labels") + "]" + put + "(K\x03M" + little_endian(7, 2) + "e" + "X" +
         little_endian(4, 4) + "data" + put + global("numpy._core.multiarray", "_reconstruct") +
         global("numpy", "ndarray") + "K" + byte(0) + "\x85" + raw("b") + "\x87R(K\x01K\x02M" + little_endian(3072, 2) +
         "\x86" + global("numpy", "dtype") + "X" + little_endian(2, 4) + "u1\x89\x88\x87R(K\x03X" +
         little_endian(1, 4) + "|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" + byte(0) +
         "tb\x89"
         "B" +
         little_endian(pixels.size(), 4) + pixels + "tbu.";
}

}  // namespace

TEST_CASE("a batch that Python 2 pickled is read", "[cifar][pickle]") { check_read(PickledBatch{}.bytes()); }

TEST_CASE("a batch that Python 3 pickled with protocol 3 is read", "[cifar][pickle]") {
  check_read(python3_batch("\x80\x03", "q\x20", [](const std::string& module, const std::string& name) {
    return "c" + module + "\n" + name + "\n";
  }));
}

TEST_CASE("a batch that Python 3 pickled with protocol 4 is read", "[cifar][pickle]") {
  const auto short_text = [](const std::string& value) {
    return "\x8c" + byte(static_cast<int>(value.size())) + value + "\x94";
  };
  check_read(python3_batch("\x80\x04\x95" + little_endian(100, 8), "\x94",
                           [&](const std::string& module, const std::string& name) {
                             return short_text(module) + short_text(name) + "\x93";
                           }));
}

TEST_CASE("values are taken back from the memo", "[cifar][pickle]") {
  PickledBatch batch;
  // The list of slot 5 holds the labels; slot 4 the text "labels".
  batch.label_key = "other";
  batch.more = text("labels") + "h\x05" + text("again") + "j" + little_endian(4, 4);
  check_read(batch.bytes());
}

TEST_CASE("a dict and lists of one item each are read", "[cifar][pickle]") {
  PickledBatch batch;
  std::string bytes = batch.bytes();
  bytes.insert(bytes.size() - 1, text("one") +
                                     "]K\x01"
                                     "as");
  check_read(bytes);
}

TEST_CASE("an opcode that CIFAR batches do not have is refused with its offset", "[cifar][pickle][misuse]") {
  const std::string why = "this opcode does not occur in CIFAR batches and is not read; use the published files";
  // INST, OBJ, NEWOBJ, EXT1, PERSID, DUP, POP, LONG4, BINFLOAT, NEXT_BUFFER
  const int op = GENERATE(0x69, 0x6f, 0x81, 0x82, 0x50, 0x32, 0x30, 0x8b, 0x47, 0x97);
  char name[16];
  std::snprintf(name, sizeof name, op < 0x80 ? "0x%02x '%c'" : "0x%02x", op, op);
  check_refused(protocol_2("}" + byte(op) + "."), "offset 3, opcode " + std::string(name) + ": " + why);
}

TEST_CASE("a name other than numpy's array makers is refused and nothing runs", "[cifar][pickle][misuse]") {
  const std::string why = "; only numpy's arrays and integers are understood, and nothing is executed";
  check_refused(protocol_2("cposix\nsystem\n" + text("touch x") + "\x85R."),
                "offset 2, opcode 0x63 'c': it names 'posix system'" + why);
  check_refused(protocol_2(text("builtins") + text("ev\nal") + "\x93."),
                "offset 19, opcode 0x93: it names 'builtins ev?al'" + why);
  check_refused(protocol_2("cnumpy\nfromfile\n."), "offset 2, opcode 0x63 'c': it names 'numpy fromfile'" + why);
  check_refused(protocol_2("c" + std::string(64, 'a') + "\n"),
                "offset 2, opcode 0x63 'c': a name of more than 64 characters");
}

TEST_CASE("a damaged stream of opcodes is refused at its offset", "[cifar][pickle][misuse]") {
  const auto [bytes, what] = GENERATE(table<std::string, std::string>({
      {"hello",
       "offset 0, opcode 0x68 'h': expected a pickle, which starts with 0x80, '(' or '}'; "
       "this is no CIFAR batch"},
      {"\x80\x06.", "offset 0, opcode 0x80: expected pickle protocol 0 to 5, found 6"},
      {"\x80", "offset 0, opcode 0x80: the file ends early: 1 bytes expected at offset 1, found 0"},
      {"\x80\x02}", "offset 3, opcode 0x7d '}': the file ends early: 1 bytes expected at offset 3, found 0"},
      {"\x80\x02T\xff\xff\xff\xff.",
       "offset 2, opcode 0x54 'T': the file ends early: 4294967295 bytes expected at offset 7, found 1"},
      {"\x80\x02.", "offset 2, opcode 0x2e '.': a value is missing on the stack"},
      {"\x80\x02K\x01", "offset 4, opcode 0x4b 'K': the file ends early: 1 bytes expected at offset 4, found 0"},
      {"\x80\x02}}.", "offset 4, opcode 0x2e '.': the pickle ends with values left over"},
      {"\x80\x02}.xy", "offset 3, opcode 0x2e '.': 2 bytes follow the pickle's end"},
      {"\x80\x02]e", "offset 3, opcode 0x65 'e': a mark is missing on the stack"},
      {"\x80\x02K\x01K\x01"
       "a",
       "offset 6, opcode 0x61 'a': expected a list on the stack"},
      {"\x80\x02](K\x01u", "offset 6, opcode 0x75 'u': expected a dict on the stack"},
      {"\x80\x02}(K\x01u", "offset 6, opcode 0x75 'u': a dict's key has no value"},
      {"\x80\x02}K\x01K\x01s", "offset 7, opcode 0x73 's': a dict's key is no text"},
      {"\x80\x02q\x01", "offset 2, opcode 0x71 'q': nothing on the stack to remember"},
      {"\x80\x02h\x01", "offset 2, opcode 0x68 'h': memo slot 1 holds nothing"},
      {"\x80\x02K\x01K\x01\x93", "offset 6, opcode 0x93: expected a name on the stack"},
      {"\x80\x02K\x01U\x01x\x93", "offset 7, opcode 0x93: expected a module's name on the stack"},
      {"\x80\x02K\x01K\x01R", "offset 6, opcode 0x52 'R': expected a tuple of arguments on the stack"},
      {"\x80\x02K\x01)R", "offset 5, opcode 0x52 'R': expected a numpy name to call on the stack"},
      {"\x80\x02"
       "cnumpy\ndtype\n)R",
       "offset 16, opcode 0x52 'R': numpy's dtype is called in another way than a pickled array does"},
      {"\x80\x02"
       "cnumpy\nndarray\n)R",
       "offset 18, opcode 0x52 'R': numpy's ndarray is called in another way than a pickled array does"},
      {"\x80\x02})b", "offset 4, opcode 0x62 'b': expected a new numpy array or dtype on the stack"},
      {"\x80\x02}b", "offset 3, opcode 0x62 'b': expected a tuple of state on the stack"},
      {"\x80\x02)b", "offset 3, opcode 0x62 'b': expected a new numpy array or dtype on the stack"},
      {"\x80\x02"
       "N.",
       "expected a pickled dict, found another value"},
  }));
  check_refused(bytes, what);
}

TEST_CASE("a pickle's depth, frames and number of opcodes have limits", "[cifar][pickle][misuse]") {
  check_refused(protocol_2(std::string(17, '(')), "offset 18, opcode 0x28 '(': nested deeper than 16 levels");
  check_refused("\x80\x04\x95" + little_endian(~std::uint64_t{0}, 8) + "}.",
                "offset 2, opcode 0x95: a frame is longer than the rest of the file");
  check_refused(protocol_2(std::string(2'000'001, 'N')),
                "offset 2000001, opcode 0x4e 'N': more than 2000000 opcodes; a CIFAR batch has fewer");
}

TEST_CASE("data, labels and filenames must agree in count", "[cifar][pickle][misuse]") {
  PickledBatch batch;
  SECTION("a label too many") {
    batch.labels = {3, 7, 1};
    check_refused(batch.bytes(), "'data' has 2 records but 'labels' has 3; the file is damaged, unpack it again");
  }
  SECTION("a file name too few") {
    batch.files = 1;
    check_refused(batch.bytes(), "'data' has 2 records but 'filenames' has 1; the file is damaged, unpack it again");
  }
  SECTION("an image too few") {
    batch.rows = 1;
    batch.pixels = image(0);
    check_refused(batch.bytes(), "'data' has 1 records but 'labels' has 2; the file is damaged, unpack it again");
  }
}

TEST_CASE("a pickled array must be uint8 in C order, of 3072 columns", "[cifar][pickle][misuse]") {
  PickledBatch batch;
  SECTION("dtype") {
    batch.dtype = "f4";
    check_refused(batch.bytes(), "'data' has dtype 'f4', expected 'u1' (uint8)");
  }
  SECTION("Fortran's order") {
    batch.fortran = "\x88";
    check_refused(batch.bytes(), "'data' is stored in Fortran's order, expected C's");
  }
  SECTION("bytes against shape") {
    batch.pixels.pop_back();
    check_refused(batch.bytes(), "'data' has shape 2 x 3072 but 6143 bytes");
  }
  SECTION("columns") {
    batch.columns = 1536;
    batch.rows = 4;
    check_refused(batch.bytes(), "'data' has 1536 bytes a record, expected 3072 (3 x 32 x 32)");
  }
  SECTION("no rows") {
    batch.rows = 0;
    check_refused(batch.bytes(), "'data' must have a shape of two positive integers");
  }
}

TEST_CASE("the state of a pickled array is checked part by part", "[cifar][pickle][misuse]") {
  const std::string empty = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK" + byte(0) +
                            "\x85U\x01"
                            "b\x87R";
  const std::string type = "cnumpy\ndtype\nU\x02u1K" + byte(0) + "K\x01\x87R";
  const auto data = [](const std::string& value) {
    return protocol_2(
        "}U\x04"
        "data" +
        value + "s.");
  };
  check_refused(data("K\x01"), "'data' is no numpy array");
  check_refused(data(empty), "'data' has a state of 0 parts, expected 5");
  check_refused(data(empty + "K\x01K\x01K\x01\x87"
                             "b"),
                "'data' has a state of 3 parts, expected 5");
  check_refused(data(empty + "(K\x01K\x01K\x01K\x01K\x01tb"), "'data' has dtype 'none', expected 'u1' (uint8)");
  check_refused(data(empty + "(K\x01K\x01" + type + "\x89U\x01xtb"), "'data' must have two dimensions");
  check_refused(data(empty + "(K\x01K\x01K\x01\x86" + type + "\x89Ntb"), "'data' holds no bytes");
}

TEST_CASE("labels and names must be lists of their kind", "[cifar][pickle][misuse]") {
  PickledBatch batch;
  SECTION("label out of range") {
    batch.labels = {3, 10};
    check_refused(batch.bytes(), "record 1 has label 10 in 'labels', expected 0 to 9");
  }
  SECTION("no labels") {
    batch.label_key = "label";
    check_refused(batch.bytes(), "the key 'labels' is missing; this is no such batch");
  }
  SECTION("labels that are no list") {
    batch.label_key = "other";
    batch.more = text("labels") + "N";
    check_refused(batch.bytes(), "'labels' is no list");
  }
  SECTION("a label that is no integer") {
    batch.label_key = "other";
    batch.more = text("labels") + "]Na";
    check_refused(batch.bytes(), "record 0 of 'labels' is no integer");
  }
  SECTION("labels twice") {
    batch.more = text("labels") + "]";
    check_refused(batch.bytes(), "the key 'labels' occurs twice");
  }
  SECTION("a file name that is no text") {
    std::string bytes = batch.bytes();
    bytes.insert(bytes.size() - 3, "N");
    check_refused(bytes, "entry 2 of 'filenames' is no text");
  }
  SECTION("no data") { check_refused(protocol_2("}."), "the key 'data' is missing; this is no such batch"); }
}
