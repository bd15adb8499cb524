// The stopper counts epochs in a row, and goes on counting from a state that was stored.
#include "@file@.hpp"

#include <cstdio>

int main() {
  const mixop::Options options({{"loss", "0.5"}, {"epochs", "2"}});
  @class@ first(options), second(options);
  int wrong = 0;
  const auto judge = [&](@class@& part, double loss, bool ends) {
    mixop::EpochReport report;
    report.valid_loss = loss;
    wrong += part.reason_to_stop(report).empty() == ends ? 1 : 0;
  };
  judge(first, 0.4, false);
  judge(first, 0.6, false);
  judge(first, 0.4, false);
  second.load(first.save());
  judge(second, 0.4, true);
  judge(first, 0.4, true);
  std::printf("%d wrong\n", wrong);
  return wrong;
}
