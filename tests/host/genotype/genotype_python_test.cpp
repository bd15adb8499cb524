#include "host/genotype/genotype_python.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_text.hpp"
#include "tests/catch.hpp"

using namespace mixop;

namespace {

Genotype read(const std::string& text) { return genotype_from_text(text, "g.txt", "", ErrorCode::bad_data).genotype; }

std::string problem(const std::string& text) {
  try {
    read(text);
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::bad_data);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("what is no genotype in Python text is refused with its place", "[genotype]") {
  const std::string expected =
      "g.txt: no genotype: expected JSON, or a text with Genotype(...), Genotype_nested(...) or Genotype_opt(...) as "
      "published code prints it, or MMRazor's fix-subnet YAML; found ";
  CHECK(problem("") == expected + "an empty text");
  CHECK(problem("\nx = dict(a=1)") == expected + "'x = dict(a=1)'");
  CHECK(problem("Genotype[1]") == expected + "'Genotype[1]'");
  CHECK(problem("normal:\n- [sep_conv_3x3, 0]\n") == expected + "YAML");
  CHECK(problem(std::string("PK\x03\x04\0", 5)) == expected + "a ZIP archive, such as PyTorch's .pt files are");
  CHECK(problem("Genotype(normal=[(") ==
        "g.txt:1:19: expected a text in quotes, a whole number, a list, a tuple or range(...), found the end of the "
        "text");
  CHECK(problem("Genotype(recurrent=[('tanh', 0)], concat=[1]) x") ==
        "g.txt:1:47: expected nothing behind the genotype, found 'x'");
}

TEST_CASE("arguments that no genotype has are refused", "[genotype]") {
  CHECK(problem("Genotype(concat=[1], concat=[1])") == "g.txt:1:22: concat is given twice");
  CHECK(problem("Genotype([], concat=[1], recurrent=[])").find("g.txt:1:10: ") == 0);
  CHECK(problem("Genotype(concat=[1], [])") == "g.txt:1:22: an argument by place stands behind one by name");
  CHECK(problem("Genotype_nested([], [], [], [])") ==
        "g.txt:1:29: Genotype_nested has 3 fields, genes, concat, reductions");
  CHECK(problem("Genotype_nested(genes=[[('a', 2, 0)]])") == "g.txt:1:1: the genotype's key 'concat' is missing");
}

TEST_CASE("values that are not written out are refused", "[genotype]") {
  CHECK(problem("Genotype(recurrent=layer, concat=[1])") ==
        "g.txt:1:20: 'layer' is not known here; write out what it stands for");
  CHECK(problem("Genotype(recurrent=[('a, 0)], concat=[1])") ==
        "g.txt:1:22: a text that does not end on its line, or that holds a backslash");
  CHECK(problem("Genotype(recurrent=[('a', 1.5)], concat=[1])") ==
        "g.txt:1:27: recurrent, gene 0, the node it comes from: expected a whole number from 0 to 0, found 1.5");
  CHECK(problem("Genotype(recurrent=[('a', 99999999999)], concat=[1])") ==
        "g.txt:1:27: expected a whole number up to 1000000");
  CHECK(problem("Genotype(recurrent=[1] * [2], concat=[1])") == "g.txt:1:26: expected a list times a whole number");
  CHECK(problem("Genotype(recurrent=[1] + 2, concat=[1])") == "g.txt:1:26: only lists can be added");
  CHECK(problem("Genotype(recurrent=[], concat=range('a'))") ==
        "g.txt:1:37: range: expected whole numbers, found text 'a'");
  CHECK(problem("Genotype(recurrent=[], concat=range(1, 2, 3))") == "g.txt:1:31: range: expected one or two numbers");
}

TEST_CASE("a Python text of hostile size is refused before its lists are made", "[genotype]") {
  CHECK(problem("Genotype(recurrent=[[[0] * 60000] * 60000], concat=[1])") ==
        "g.txt:1:21: the lists have more than 1000000 items");
  CHECK(problem("Genotype(recurrent=[0] * 1000000, concat=[1])") ==
        "g.txt:1:20: the lists have more than 1000000 items");
  CHECK(problem("Genotype(recurrent=[0] * 70000, concat=[1])") == "g.txt:1:20: a list of 70000 items; at most 65536");
  CHECK(problem("Genotype(normal=range(100000), normal_concat=[2], reduce=[], reduce_concat=[2])") ==
        "g.txt:1:17: a list of 100000 items; at most 65536");
  CHECK(problem("Genotype(normal=list(range(-1000000, 1000000)), normal_concat=[2])") ==
        "g.txt:1:22: a list of 2000000 items; at most 65536");
  CHECK(problem("Genotype(recurrent=[0] * 60000 + [0] * 60000, concat=[1])") ==
        "g.txt:1:20: a list of 120000 items; at most 65536");
  std::string many = "Genotype(recurrent=[";
  for (int i = 0; i < 65537; ++i) many += "0,";
  CHECK(problem(many + "], concat=[1])") == "g.txt:1:20: a list of 65537 items; at most 65536");
}

TEST_CASE("Python's brackets of any kind nest 16 levels deep", "[genotype]") {
  for (const std::string open : {"[", "(", "range(", "list(", "{'a':", "[0]+[", "np.int64("}) {
    std::string text = "Genotype(recurrent=";
    for (int i = 0; i < 100000; ++i) text += open;
    INFO(open);
    CHECK(problem(text).find("expected at most 16 brackets within each other") != std::string::npos);
  }
  CHECK(problem("Genotype(recurrent=" + std::string(15, '[') + std::string(15, ']') + ", concat=[1])")
            .find("16 brackets") == std::string::npos);
}

TEST_CASE("a name that a program would evaluate is refused on reading and on writing", "[genotype]") {
  const std::string hostile = "x\", 0)] + [print(1)] + [(\"y";
  CHECK(
      problem("Genotype(recurrent=[('" + hostile + "', 0)], concat=[1])") ==
      "g.txt:1:22: recurrent, gene 0: expected an operation's name of letters, digits, '.', '_' and '-', and its options "
      "behind it as NAME:option=value, found text '" +
          hostile + "'");
  CHECK(problem("Genotype(recurrent=[('a\x1b[31m', 0)], concat=[1])").find("found text 'a\\x1b[31m'") !=
        std::string::npos);
  for (const std::string name : {"x', 0)", "a b", "<b>", "\xff", "a\nb", "\"", "$(ls)"}) {
    const Genotype genotype{{{"recurrent", {{name, 0, 1}}, {1}, 1}}};
    CHECK_THROWS_AS(genotype_to_python(genotype), Error);
    CHECK_THROWS_AS(genotype_to_json(genotype), Error);
    CHECK_THROWS_AS(genotype_to_json({{{name, {{"a", 0, 1}}, {1}, 1}}}), Error);
  }
}

TEST_CASE("what a genotype's keys hold is checked as that of JSON", "[genotype]") {
  CHECK(problem("Genotype_nested(genes=[[('a', 2, 2)]], concat=[2], reductions=[])") ==
        "g.txt:1:25: genes of cell 0, gene 0: a goes from node 2 to itself");
  CHECK(problem("Genotype(recurrent=[('tanh', 1)], concat=[1])") ==
        "g.txt:1:30: recurrent, gene 0, the node it comes from: expected a whole number from 0 to 0, found 1");
}

TEST_CASE("the text of DARTS parses and prints", "[genotype]") {
  const std::string text =
      "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=range(2, 3), "
      "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('none', 2), ('a', 1)], reduce_concat=range(2, 4))";
  const Genotype genotype = read(text);
  CHECK(genotype.find("normal")->genes[0] == Gene{"sep_conv_3x3", 1, 2});
  CHECK(genotype.find("reduce")->concat == std::vector<int>{2, 3});
  CHECK(genotype_to_python(genotype) == text);
  CHECK(
      read(
          "DARTS_V9 = Genotype(  # a comment, with 'quotes'\n  normal = [('sep_conv_3x3', 1), (\"skip_connect\", 0)],\n"
          "  normal_concat = [2], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('none', 2), ('a', 1)],\n"
          "  reduce_concat=[2, 3])\n") == genotype);
}

TEST_CASE("the text of a recurrent genotype parses and prints", "[genotype]") {
  const std::string text = "Genotype(recurrent=[('relu', 0), ('tanh', 1)], concat=range(1, 3))";
  CHECK(read(text).find("recurrent")->genes[1] == Gene{"tanh", 1, 2});
  CHECK(genotype_to_python(read(text)) == text);
  CHECK(read("Genotype([('relu', 0), ('tanh', 1)], range(1, 3))") == read(text));
}

TEST_CASE("the texts of D-DARTS parse and print", "[genotype]") {
  const std::string nested =
      "Genotype_nested(genes=[[('sep_conv_3x3', 2, 1), ('skip_connect', 5, 2)], []], concat=range(2, 6), "
      "reductions=[1])";
  CHECK(read(nested).cells[0].genes[1] == Gene{"skip_connect", 2, 5});
  CHECK(read(nested).cells[1].genes.empty());
  CHECK(genotype_to_python(read(nested)) == nested);
  CHECK(read("Genotype_nested(genes=[[('sep_conv_3x3', 2, 1), ('skip_connect', 5, 2)], []], reductions=range(1, 2), "
             "concat=range(2, 6))") == read(nested));
  const std::string repeated =
      "Genotype_opt(genes=[[('a', 2, 0)], [('b', 2, 0)]], seq=[0, 0, 1], concat=[2, 4], reductions=[])";
  CHECK(read(repeated).sequence == std::vector<int>{0, 0, 1});
  CHECK(genotype_to_python(read(repeated)) == repeated);
  CHECK(read("Genotype_opt([[('a', 2, 0)]] + [[('b', 2, 0)]], [0]*2+[1], concat=[2, 4], reductions=[])") ==
        read(repeated));
}

TEST_CASE("reductions that alphas cannot tell are None in Python text", "[genotype]") {
  const Genotype genotype = read("Genotype_nested(genes=[[('a', 2, 0)]], concat=[2], reductions=None)");
  CHECK_FALSE(genotype.reductions.has_value());
  CHECK(read(genotype_to_python(genotype)) == genotype);
}

TEST_CASE("a cell alone is written beside one that is None, as the published tuple has fields for both", "[genotype]") {
  const std::string genes = "[('a', 0), ('b', 1)]";
  for (const std::string& text :
       {"Genotype(normal=None, normal_concat=None, reduce=" + genes + ", reduce_concat=range(2, 3))",
        "Genotype(normal=" + genes + ", normal_concat=range(2, 3), reduce=None, reduce_concat=None)"}) {
    CHECK(read(text).cells.size() == 1);
    CHECK(genotype_to_python(read(text)) == text);
  }
}

TEST_CASE("a genotype that no Python text holds is not written", "[genotype]") {
  CHECK_THROWS_WITH(genotype_to_python({}), "the genotype cannot be written: it has no cells");
}
