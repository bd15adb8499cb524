#include "host/train/confusion_picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "host/text/printable.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kMostNumbered = 25;  // classes whose cells hold their counts
constexpr std::int64_t kMostNamed = 120;    // classes whose names are written
constexpr std::size_t kNameLength = 24;     // characters
constexpr int kTitleHeight = 56, kLegendWidth = 92;
constexpr double kGlyph = 0.62;  // width of a character, of its height

/// As text of XML, which knows no control characters.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else
      result += c;
  }
  return result;
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// From white to dark blue.
std::string colour(double share) {
  const auto mixed = [&](int white, int blue) { return static_cast<int>(std::lround(white + share * (blue - white))); };
  return format("#%02x%02x%02x", mixed(255, 8), mixed(255, 64), mixed(255, 129));
}

/// Sizes in pixels.
struct Plan {
  std::int64_t classes;
  int cell, font, left, top;
  bool named;

  int side() const { return cell * static_cast<int>(classes); }
  int width() const { return left + side() + kLegendWidth; }
  int height() const { return top + side() + 16; }
};

Plan plan_of(const Confusion& confusion, const std::vector<std::string>& names) {
  const std::int64_t classes = confusion.classes();
  const int cell = static_cast<int>(std::clamp<std::int64_t>(classes <= kMostNumbered ? 40 : 1000 / classes, 2, 40));
  const int font = std::clamp(cell - 2, 7, 13);
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, characters(shortened(name, kNameLength)));
  const bool named = classes <= kMostNamed;
  const int label = named ? static_cast<int>(static_cast<double>(longest) * font * kGlyph) + 12 : 8;
  return {classes, cell, font, 24 + label, kTitleHeight + 20 + label, named};
}

std::string text_at(double x, double y, const char* anchor, const std::string& text, const std::string& more = "") {
  return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"", x, y, anchor) + more + ">" + escaped(text) +
         "</text>\n";
}

std::string turned(double x, double y) { return format(" transform=\"rotate(-90 %.1f %.1f)\"", x, y); }

std::string titles(const Confusion& confusion, const Plan& plan) {
  std::int64_t right = 0, all = 0;
  for (std::int64_t i = 0; i < plan.classes; ++i) {
    right += confusion.count(i, i);
    all += confusion.samples(i);
  }
  const double x = plan.left + plan.side() / 2.0, y = plan.top + plan.side() / 2.0;
  const double percent = all == 0 ? 0 : 100.0 * static_cast<double>(right) / static_cast<double>(all);
  return text_at(10, 24, "start", format("%.2f %% of %lld samples right", percent, static_cast<long long>(all)),
                 " font-size=\"16\"") +
         text_at(x, kTitleHeight, "middle", "taken for") + text_at(16, y, "middle", "class", turned(16, y));
}

std::string labels(const std::vector<std::string>& names, const Plan& plan) {
  std::string svg;
  for (std::int64_t i = 0; plan.named && i < plan.classes; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * plan.cell + plan.font * 0.35;
    const std::string name = shortened(names[static_cast<std::size_t>(i)], kNameLength);
    const double x = plan.left + middle, y = plan.top - 6;
    svg += text_at(plan.left - 6, plan.top + middle, "end", name) + text_at(x, y, "start", name, turned(x, y));
  }
  return svg;
}

std::string cells(const Confusion& confusion, const Plan& plan) {
  std::string svg;
  for (std::int64_t target = 0; target < plan.classes; ++target) {
    const auto samples = static_cast<double>(std::max<std::int64_t>(confusion.samples(target), 1));
    for (std::int64_t predicted = 0; predicted < plan.classes; ++predicted) {
      const std::int64_t count = confusion.count(target, predicted);
      if (count == 0) continue;
      const double share = static_cast<double>(count) / samples;
      const int x = plan.left + plan.cell * static_cast<int>(predicted);
      const int y = plan.top + plan.cell * static_cast<int>(target);
      svg += format("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"", x, y, plan.cell, plan.cell) +
             colour(share) + "\"/>\n";
      if (plan.classes <= kMostNumbered)
        svg += text_at(x + plan.cell / 2.0, y + plan.cell / 2.0 + 4, "middle", std::to_string(count),
                       share > 0.5 ? " fill=\"white\"" : "");
    }
  }
  return svg + format("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#888\"/>\n", plan.left,
                      plan.top, plan.side(), plan.side());
}

/// What the colours mean: shares of a row.
std::string legend(const Plan& plan) {
  std::string svg;
  const int x = plan.left + plan.side() + 16;
  for (int i = 0; i <= 4; ++i) {
    const int y = plan.top + 18 * i;
    svg += format("<rect x=\"%d\" y=\"%d\" width=\"18\" height=\"18\" stroke=\"#888\" stroke-width=\"0.5\" fill=\"", x,
                  y) +
           colour(1 - i / 4.0) + "\"/>\n" + text_at(x + 24, y + 13, "start", format("%d %%", 100 - 25 * i));
  }
  return svg;
}

}  // namespace

std::string confusion_svg(const Confusion& confusion, const std::vector<std::string>& names) {
  const Plan plan = plan_of(confusion, names);
  const int width = std::max(plan.width(), 320), height = std::max(plan.height(), plan.top + 100);
  return format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
             "font-size=\"%d\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
             width, height, plan.font) +
         titles(confusion, plan) + labels(names, plan) + cells(confusion, plan) + legend(plan) + "</svg>\n";
}

}  // namespace mixop
