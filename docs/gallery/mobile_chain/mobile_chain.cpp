#include "mobile_chain.hpp"

#include "mixop/plugin.hpp"

namespace {

template <std::int64_t kernel, std::int64_t expansion>
MixopComponent block(const char* name) {
  return mixop::structure_operator<[](const mixop::OpSpec& s) { return mobile_block(s, kernel, expansion); }>(name);
}

}  // namespace

MIXOP_PLUGIN("acme.mobile_chain", "0.1.0", "A chain of mobile blocks.", block<3, 3>("acme.mobile_3_3"),
             block<3, 6>("acme.mobile_3_6"), block<5, 3>("acme.mobile_5_3"), block<5, 6>("acme.mobile_5_6"),
             mixop::space<MobileChain>("acme.mobile_chain"));
