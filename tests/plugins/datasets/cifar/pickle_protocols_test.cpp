#include "tests/plugins/datasets/cifar/cifar_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

const std::string kPixels = image(0) + image(1);

/// Opens a CIFAR-10 folder whose batches all have this content.
mixop::DatasetHandle open_batches(const TempFolder& folder, const std::string& bytes) {
  for (int i = 1; i <= 5; ++i) folder.write("cifar-10-batches-py/data_batch_" + std::to_string(i), bytes);
  folder.write("cifar-10-batches-py/test_batch", bytes);
  return open_cifar("cifar10", folder.text());
}

/// Expects both images with the labels 3 and 7.
void check_read(const std::string& bytes) {
  const TempFolder folder;
  const mixop::DatasetHandle data = open_batches(folder, bytes);
  REQUIRE(data.info().records[MIXOP_SPLIT_TEST] == 2);
  std::string pixels(2 * 3072, '\0');
  std::int64_t labels[2];
  data.read(MIXOP_SPLIT_TEST, 0, 2, reinterpret_cast<std::uint8_t*>(pixels.data()), labels);
  CHECK(pixels == kPixels);
  CHECK(labels[0] == 3);
  CHECK(labels[1] == 7);
}

std::string refusal(const std::string& bytes) {
  const TempFolder folder;
  const Error error = error_of([&] { open_batches(folder, bytes); });
  CHECK(error.code() == ErrorCode::bad_data);
  const std::string what = error.what();
  return what.substr(what.find("data_batch_1: ") + 14);
}

/// As Python 2's repr writes bytes.
std::string python2_quoted(const std::string& bytes) {
  std::string quoted = "'";
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02x", value);
    if (c == '\\' || c == '\'')
      quoted += std::string("\\") + c;
    else if (c == '\n')
      quoted += "\\n";
    else if (c == '\r')
      quoted += "\\r";
    else if (c == '\t')
      quoted += "\\t";
    else
      quoted += value < 0x20 || value > 0x7e ? std::string(hex) : std::string(1, c);
  }
  return quoted + "'";
}

/// Bytes as text of Latin-1, in raw-unicode-escape.
std::string raw_escaped(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned char>(c));
    text += c == '\\' || c == '\n' || c == '\r' || c == '\0' || c == '\x1a' ? std::string(hex) : std::string(1, c);
  }
  return text;
}

std::string latin1_as_utf8(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x80)
      text += c;
    else
      text += {static_cast<char>(0xc0 | value >> 6), static_cast<char>(0x80 | (value & 0x3f))};
  }
  return text;
}

/// A batch of protocol 0, whose bytes are the value of `pixels`, with labels as `labels`.
std::string protocol_0(const std::string& key, const std::string& pixels, const std::string& labels) {
  const auto name = [&](const std::string& word) { return key == "S" ? "S'" + word + "'\n" : "V" + word + "\n"; };
  return "(dp0\n" + name("data") + "p1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\n" +
         name("b") + "p5\ntp6\nRp7\n(I1\n(I2\nL3072L\ntp8\ncnumpy\ndtype\np9\n(" + name("u1") +
         "p10\nI0\nI1\ntp11\nRp12\n(I3\n" + name("|") + "p13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n" + pixels + "tp16\nbs" +
         name("labels") + "p17\n" + labels + "s.";
}

const std::string kListOfLabels = "(lp18\nI3\naI7\na";

std::string short_text(const std::string& value) { return "\x8c" + byte(static_cast<int>(value.size())) + value; }
std::string global(const std::string& module, const std::string& name) {
  return short_text(module) + short_text(name) + "\x93";
}
std::string type_of(const std::string& name, const std::string& order) {
  return global("numpy", "dtype") + short_text(name) + "\x89\x88\x87R(K\x03" + short_text(order) +
         "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" + byte(0) + "tb";
}

/// A batch of protocol 5 whose 'labels' are that value.
std::string protocol_5(const std::string& labels, const std::string& shape = "K\x02M" + little_endian(3072, 2) + "\x86",
                       const std::string& order = "C") {
  return "\x80\x05\x95" + little_endian(64, 8) + "}(" + short_text("data") +
         global("numpy._core.numeric", "_frombuffer") + "(\x96" + little_endian(kPixels.size(), 8) + kPixels +
         type_of("u1", "|") + shape + short_text(order) + "tR" + short_text("labels") + labels + "u.";
}

/// A one-dimensional array of the bytes.
std::string array(const std::string& type, const std::string& order, const std::string& bytes, int count) {
  return global("numpy._core.numeric", "_frombuffer") + "(\x96" + little_endian(bytes.size(), 8) + bytes +
         type_of(type, order) + "K" + byte(count) + "\x85" + short_text("C") + "tR";
}

}  // namespace

TEST_CASE("batches of protocol 0 are read as Python 2 and Python 3 write them", "[cifar][pickle]") {
  check_read(protocol_0("S", "S" + python2_quoted(kPixels) + "\np15\n", kListOfLabels));
  check_read(protocol_0("V", "c_codecs\nencode\np30\n(V" + raw_escaped(kPixels) + "\np31\nVlatin1\np32\ntp33\nRp15\n",
                        kListOfLabels));
  check_read(protocol_0("S", "S" + python2_quoted(kPixels) + "\np15\n", "(L3L\nI7\nl"));
}

TEST_CASE("bytes that Python 3 writes for Python 2 are decoded", "[cifar][pickle]") {
  PickledBatch batch;
  const std::string raw = "T" + little_endian(kPixels.size(), 4) + kPixels, text = latin1_as_utf8(kPixels);
  std::string bytes = batch.bytes();
  bytes.replace(
      bytes.find(raw), raw.size(),
      "c_codecs\nencode\nX" + little_endian(text.size(), 4) + text + "X" + little_endian(6, 4) + "latin1\x86R");
  check_read(bytes);
}

TEST_CASE("a batch of protocol 5 is read", "[cifar][pickle]") {
  check_read(
      protocol_5("](K\x03K\x07"
                 "e"));
}

TEST_CASE("labels may be an array or a list of numpy's integers", "[cifar][pickle]") {
  const auto [type, order, bytes] = GENERATE(table<std::string, std::string, std::string>({
      {"i8", "<", little_endian(3, 8) + little_endian(7, 8)},
      {"u1", "|", "\x03\x07"},
      {"i4", ">", std::string("\0\0\0\x03\0\0\0\x07", 8)},
      {"u2", "<", little_endian(3, 2) + little_endian(7, 2)},
  }));
  check_read(protocol_5(array(type, order, bytes, 2)));
  const std::string scalar = global("numpy._core.multiarray", "scalar") + type_of(type, order),
                    half = bytes.substr(0, bytes.size() / 2);
  const auto item = [&](const std::string& raw) {
    return scalar + "C" + byte(static_cast<int>(raw.size())) + raw + "\x86R";
  };
  check_read(protocol_5("](" + item(half) + item(bytes.substr(half.size())) + "e"));
}

TEST_CASE("labels of another kind or number are refused", "[cifar][pickle][misuse]") {
  CHECK(refusal(protocol_5(array("i8", "<", little_endian(3, 8) + little_endian(~std::uint64_t{0}, 8), 2))) ==
        "record 1 has label -1 in 'labels', expected 0 to 9");
  CHECK(refusal(protocol_5(array("f8", "<", little_endian(3, 8) + little_endian(7, 8), 2))) ==
        "'labels' is no list and no one-dimensional array of integers; save its tolist()");
  CHECK(refusal(protocol_5(array("i8", "<", little_endian(3, 8), 2))) ==
        "'labels' has 2 integers of 8 bytes but 8 bytes");
  CHECK(refusal(protocol_5(array("i8", "<", little_endian(3, 8), 1))) ==
        "'data' has 2 records but 'labels' has 1; the file is damaged, unpack it again");
}

TEST_CASE("arrays of protocol 5 are checked as those of the others", "[cifar][pickle][misuse]") {
  CHECK(refusal(protocol_5("]", "K\x02M" + little_endian(3072, 2) + "\x86", "F")) ==
        "'data' is stored in Fortran's order, expected C's");
  const std::string huge = "\x8a\x08" + little_endian(std::uint64_t{1} << 62, 8);
  CHECK(refusal(protocol_5("]", huge + huge + "\x86")) ==
        "'data' has shape 4611686018427387904 x 4611686018427387904 but 6144 bytes");
  CHECK(refusal(protocol_5("]", "\x8a\x09" + std::string(9, '\0'))).find("an integer of 9 bytes, at most 8 are read") !=
        std::string::npos);
}

TEST_CASE("texts of protocol 0 that are no texts are refused", "[cifar][pickle][misuse]") {
  CHECK(refusal("(dS'data\n.") == "offset 2, opcode 0x53 'S': a text that is not written as Python writes one");
  CHECK(refusal("(dS'a\\q'\n.").find("a text that is not written as Python writes one") != std::string::npos);
  CHECK(refusal("(dS'abc'") == "offset 2, opcode 0x53 'S': the file ends within a line");
  CHECK(refusal("(dI1x\n.") == "offset 2, opcode 0x49 'I': expected an integer of 64 bits, found '1x'");
  CHECK(refusal("(dL99999999999999999999L\n.").find("expected an integer of 64 bits") != std::string::npos);
  CHECK(refusal("(dc_codecs\nencode\n(V\\u0100\nVlatin1\ntR.").find("a text that is not written as Python") !=
        std::string::npos);
  CHECK(refusal("(dc_codecs\nencode\n(Va\nVrot13\ntR.").find("encode is called in another way") != std::string::npos);
}

TEST_CASE("one text that is decoded again and again is refused", "[cifar][pickle][misuse]") {
  std::string bytes = "(dc_codecs\nencode\np1\n(V" + std::string(1000, 'a') + "\nVlatin1\ntp2\nR";
  for (int i = 0; i < 1000; ++i) bytes += "g1\ng2\nR";
  CHECK(refusal(bytes + ".").find("its texts decode to more bytes than the file has") != std::string::npos);
}
