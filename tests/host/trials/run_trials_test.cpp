#include "host/trials/run_trials.hpp"

#include <sstream>

#include "tests/catch.hpp"

TEST_CASE("the child writes what its loader refuses", "[trials]") {
  std::ostringstream out;
  mixop::run_trials("relative.so", "", out);
  CHECK_THAT(out.str(), Catch::Contains("@mixop-trial\trefused\tpath\texpected an absolute path"));
}

TEST_CASE("the child writes the plugin, its trials and the end", "[trials]") {
  std::ostringstream out;
  mixop::run_trials(MIXOP_TEST_PLUGIN_DIR "/test_plain.so", "", out);
  CHECK(out.str() ==
        "\n@mixop-trial\tplugin\ttest.plain\t1.0.0\n"
        "\n@mixop-trial\tpassed\ttest.plain\topens, or says why not\t\n"
        "\n@mixop-trial\tpassed\ttest.plain\trecords, by several threads\t\n"
        "\n@mixop-trial\tpassed\ttest.plain\tdigest\t\n"
        "\n@mixop-trial\tend\n");
}
