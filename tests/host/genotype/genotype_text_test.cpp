#include "host/genotype/genotype_text.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_python.hpp"
#include "tests/catch.hpp"

using namespace mixop;

namespace {

GenotypeText read(const std::string& text, const std::string& name = "") {
  return genotype_from_text(text, "g", name, ErrorCode::bad_data);
}

std::string problem(const std::string& text, const std::string& name = "") {
  try {
    read(text, name);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

const std::string kFlat =
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('none', 2), ('a', 0)], normal_concat=range(2, 4), "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('none', 2), ('b', 1)], reduce_concat=range(2, 4))";
const std::string kOther = "Genotype(recurrent=[('tanh', 0)], concat=[1])";

Genotype flat() { return read(kFlat).genotype; }

}  // namespace

TEST_CASE("genes in a list for each node are those of the flat list", "[genotype]") {
  const std::string lists = "[[['sep_conv_3x3', 1], ['skip_connect', 0]], [['none', 2], ['a', 0]]]",
                    tuples = "((('sep_conv_3x3', 1), ('skip_connect', 0)), (('none', 2), ('a', 0)),)",
                    mixed = "[(('sep_conv_3x3', 1), ('skip_connect', 0)), [('none', 2), ['a', 0]]]";
  for (const std::string& normal : {lists, tuples, mixed}) {
    const std::string text =
        "X = Genotype(\n  normal=" + normal +
        ",\n normal_concat=[2, 3], reduce=[[('max_pool_3x3', 0), ('max_pool_3x3', 1)], [('none', 2), "
        "('b', 1)]],\n reduce_concat=[2, 3], connectN=None, connects=None,\n)\n";
    INFO(text);
    CHECK(read(text).genotype == flat());
  }
  CHECK(read("Genotype([[('a', 0), ('b', 1)]], [2], [[('a', 0), ('b', 1)]], [2], None, None)").genotype.cells.size() ==
        2);
  CHECK(read("{\"normal\": [[[\"a\", 0], [\"b\", 1]]], \"normal_concat\": [2]}").genotype.cells[0].genes[1] ==
        Gene{"b", 1, 2});
}

TEST_CASE("nodes that list another number of genes than two, or none, are read by their place", "[genotype]") {
  const Genotype genotype =
      read("Genotype(normal=[[('a', 0)], [], [('b', 1), ('c', 2), ('d', 3)]], normal_concat=[2, 4])").genotype;
  CHECK(genotype.cells[0].genes == std::vector<Gene>{{"a", 0, 2}, {"b", 1, 4}, {"c", 2, 4}, {"d", 3, 4}});
  CHECK(read("Genotype(recurrent=[[('tanh', 0)], [('relu', 1)]], concat=[1, 2])").genotype.cells[0].genes[1] ==
        Gene{"relu", 1, 2});
}

TEST_CASE("a gene of a nested list is checked as any other", "[genotype]") {
  CHECK(problem("Genotype(normal=[[('a', 2), ('b', 1)]], normal_concat=[2])") ==
        "g:1:25: normal, gene 0, the node it comes from: expected a whole number from 0 to 1, found 2");
  CHECK(problem("Genotype(normal=[[('a', 0), ('b', 1)], 3], normal_concat=[2])") ==
        "g:1:40: normal, node 3: expected a list, found 3");
  std::string many = "Genotype(normal=[[('a', 0)]";
  for (int i = 0; i < 1100; ++i) many += ", []";
  CHECK(problem(many + "], normal_concat=[2])").find("normal: more than 1024 nodes") != std::string::npos);
}

TEST_CASE("a JSON object of genotypes is read by its names", "[genotype]") {
  CHECK(read("{\"2\": \"" + kFlat + "\"}").genotype == flat());
  const std::string two = "{\"a\": \"" + kOther + "\", \"b\": " + genotype_to_json(flat()) + ", \"epochs\": 3}";
  CHECK(problem(two) == "g has several genotypes: a, b; name one, for instance g:a");
  CHECK(read(two, "b").genotype == flat());
  CHECK(problem(two, "c").find("g has no genotype 'c'") == 0);
  CHECK(problem("{\"a\": \"Genotype(normal=[1], normal_concat=[2])\"}").find("g:1:7:1:18: normal, gene 0: ") == 0);
}

TEST_CASE("a file of definitions gives the one that is named", "[genotype]") {
  const std::string file =
      "from collections import namedtuple\n\nGenotype = namedtuple('Genotype', 'normal normal_concat')\n"
      "class Genotype(NamedTuple):\n    pass\n# OLD = " +
      kOther + "\nPRIMITIVES = ['none', 'max_pool_3x3']\n";
  const std::string one = file + "MINE = " + kFlat + "\n", two = one + "RNN = " + kOther + "\n\nDARTS = MINE\r\n";
  CHECK(read(one).genotype == flat());
  CHECK(read(one).notes.empty());
  CHECK(problem(two) == "g has several genotypes: MINE, RNN, DARTS; name one, for instance g:MINE");
  CHECK(read(two, "RNN").genotype.cells[0].name == "recurrent");
  CHECK(read(two, "DARTS").genotype == flat());
  CHECK(problem(two, "RMN") == "g has no genotype 'RMN'; did you mean 'RNN'?; it has MINE, RNN, DARTS");
  CHECK(problem(two, "OLD").find("g has no genotype 'OLD'") == 0);
  CHECK(read("all = {'first': " + kFlat + ",\n  'second': " + kOther + "}", "second").genotype.cells.size() == 1);
}

TEST_CASE("names stand before a type or as keys of a dictionary, on lines of their own or not", "[genotype]") {
  const std::string annotated = "A: Genotype = " + kFlat + "\nB : Any = " + kOther + "\n";
  CHECK(read(annotated, "A").genotype == flat());
  CHECK(read(annotated, "B").genotype.cells[0].genes == std::vector<Gene>{{"tanh", 0, 1}});
  const std::string keys = "ALL = {'A': " + kOther + ", \"B\": " + kFlat + ",\n  'C':" + kOther + "}\n";
  CHECK(read(keys, "B").genotype == flat());
  for (const char* name : {"A", "C"})
    CHECK(read(keys, name).genotype.cells[0].genes == std::vector<Gene>{{"tanh", 0, 1}});
  CHECK(problem(keys) == "g has several genotypes: A, B, C; name one, for instance g:A");
}

TEST_CASE("what a function of the file returns is no definition", "[genotype]") {
  CHECK(read("X = " + kFlat + "\ndef make():\n  return Genotype(normal=[], x)\n").genotype == flat());
}

TEST_CASE("a definition that is not asked for may be broken", "[genotype]") {
  const std::string file = "A = Genotype(normal=what)\nB = " + kOther + "\n";
  CHECK_NOTHROW(read(file, "B"));
  CHECK(problem(file, "A") == "g:1:21: 'what' is not known here; write out what it stands for");
}

TEST_CASE("a name that is defined twice means the last, which is said", "[genotype]") {
  const GenotypeText twice = read("genotype = " + kOther + "\ngenotype = " + kFlat + "\n");
  CHECK(twice.genotype == flat());
  CHECK(twice.notes == std::vector<std::string>{"g: the last of its 2 genotypes is taken, that of line 2"});
}

TEST_CASE("the last genotype of a log is taken, whatever stands before it", "[genotype]") {
  const std::string before = "2019-07-16 13:39:20,853 genotype = ";
  CHECK(read(before + kFlat).genotype == flat());
  CHECK(read(before + kFlat).notes.empty());
  const GenotypeText last = read("gpu device = 0\n" + before + kOther + "\nvalid_acc 12.1\n[INFO] arch: " + kFlat +
                                 "\n2019-07-16 13:39:20,857 epoch 1 lr 2.497632e-02\n");
  CHECK(last.genotype == flat());
  CHECK(last.notes == std::vector<std::string>{"g: the last of its 2 genotypes is taken, that of line 4"});
  CHECK(read("\"genotype = " + kFlat + "\"").genotype == flat());
  CHECK(read("genotypes.Genotype" + kFlat.substr(8)).genotype == flat());
  CHECK(problem(before + kFlat + "._replace(normal=[])").find("expected nothing behind the genotype") !=
        std::string::npos);
}

TEST_CASE("one cell alone leaves the other out", "[genotype]") {
  for (const std::string other : {"reduce=None, reduce_concat=None", "reduce=[], reduce_concat=[]", "reduce=None"}) {
    const Genotype genotype = read("Genotype(normal=[('a', 0), ('b', 1)], normal_concat=[2], " + other + ")").genotype;
    CHECK(genotype.cells.size() == 1);
    CHECK(read(genotype_to_python(genotype)).genotype == genotype);
  }
  CHECK(read("{\"normal\": null, \"normal_concat\": null, \"reduce\": [], \"reduce_concat\": [2]}")
            .genotype.cells[0]
            .name == "reduce");
  CHECK(problem("Genotype(normal=None, normal_concat=None)").find("g:1:1: no genotype") == 0);
}

TEST_CASE("edge weights beside the source are ignored and said", "[genotype]") {
  const std::vector<std::string> said{"g: the edge weights beside the operations are ignored"};
  for (const std::string text :
       {"Genotype(normal=[('a', 0, 0.25), ('b', 1, 1e-3)], normal_concat=[2])",
        "Genotype(normal=[('a', 2, 0, 0.25), ('b', 2, 1, 1.0)], normal_concat=[2])",
        "Genotype(normal=[('a', 0, tensor(0.25)), ('b', 1, np.float32(0.5))], normal_concat=[2])",
        "{\"normal\": [[\"a\", 0, 0.25], [\"b\", 1, 0.5]], \"normal_concat\": [2]}"}) {
    INFO(text);
    CHECK(read(text).genotype.cells[0].genes == std::vector<Gene>{{"a", 0, 2}, {"b", 1, 2}});
    CHECK(read(text).notes == said);
  }
}

TEST_CASE("what Python prints beside plain lists is read", "[genotype]") {
  CHECK(read("Genotype(normal=list([(u'a', np.int64(0)), ('b', numpy.int32(1))]), normal_concat=list(range(2, 3)), "
             "reduce=tuple(), reduce_concat=tuple(range(2, 3)))")
            .genotype.cells[0]
            .genes == std::vector<Gene>{{"a", 0, 2}, {"b", 1, 2}});
  CHECK(read("{'normal': [('a', 0), ('b', 1)], 'normal_concat': range(2, 3)}").genotype.cells[0].genes[1] ==
        Gene{"b", 1, 2});
  CHECK(problem("Genotype(normal=list(3), normal_concat=[2])") == "g:1:22: list: expected a list, found 3");
  CHECK(problem("Genotype(normal=open('x'), normal_concat=[2])") ==
        "g:1:17: 'open' is not known here; write out what it stands for");
  CHECK(problem("{'normal': 1, 'normal': 2}") == "g:1:15: key 'normal' appears twice; remove one");
  CHECK(problem("{'a': 1, 1: 2}") == "g:1:10: expected a key, a text in quotes, found 1");
}

TEST_CASE("a word on a command line is told from a genotype's text", "[genotype]") {
  CHECK(is_genotype_text(kFlat));
  CHECK(is_genotype_text("\"genotype = " + kFlat + "\""));
  CHECK(is_genotype_text(" {\"normal\": 1}"));
  CHECK_FALSE(is_genotype_text("darts_cnn/DARTS_V2"));
  CHECK_FALSE(is_genotype_text("Genotype.txt"));
  CHECK_FALSE(is_genotype_text("runs/Genotypes (1).json"));
}
