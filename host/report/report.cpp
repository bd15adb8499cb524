#include "host/report/report.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "host/draw/graphviz.hpp"
#include "host/files/installed.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/graph/draw.hpp"
#include "host/json/json_writer.hpp"
#include "host/report/archive_json.hpp"
#include "host/search/run_check.hpp"
#include "host/text/sha256.hpp"
#include "host/text/whole_file.hpp"
#include "host/train/network_check.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

/// Of a search whose genotype changes more often the last ones are drawn.
constexpr std::size_t kMostPictures = 60;
/// What a picture of alphas can show.
constexpr double kDigits = 1e5;

std::string base64(const void* bytes, std::size_t count) {
  std::string text(4 * ((count + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     static_cast<const unsigned char*>(bytes), static_cast<int>(count));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

/// As the address of an image, in which no script ever runs.
std::string image_address(const std::string& svg) {
  return "data:image/svg+xml;base64," + base64(svg.data(), svg.size());
}

void write_numbers(JsonWriter& json, const std::vector<double>& values) {
  json.begin_list();
  for (const double value : values) json.value(std::isfinite(value) ? std::round(value * kDigits) / kDigits : value);
  json.end();
}

std::vector<double> doubles(const Archive& archive, const std::string& path) {
  const Array array = archive.array(path);
  if (array.type == ElementType::float64) return array.values<double>(archive.name() + ": " + path);
  const std::vector<float> values = array.values<float>(archive.name() + ": " + path);
  return {values.begin(), values.end()};
}

/// Sets of alphas over the epochs, and where operations are dropped which: [epoch, (cell,) edge, operation], row-major.
void write_alphas(JsonWriter& json, const Archive& archive) {
  json.key("alphas").begin_list();
  for (const std::string& name : archive.children("/alphas")) {
    const std::string path = archive_path("/alphas", name), operations = archive_path("/operations", name),
                      edges = archive_path("/edges", name);
    json.begin_object().member("name", name).key("shape").begin_list();
    for (const std::uint64_t size : archive.array(path).shape) json.value(size);
    json.end();
    if (archive.has(operations)) json.member("operations", archive.texts(operations));
    if (archive.has(edges)) json.member("edges", archive.texts(edges));
    write_numbers(json.key("values"), doubles(archive, path));
    if (const std::string dropped = archive_path("/dropped", name); archive.has(dropped)) {
      json.key("dropped").begin_list();
      for (const std::uint8_t is : archive.values<std::uint8_t>(dropped)) json.value(static_cast<std::int64_t>(is));
      json.end();
    }
    json.end();
  }
  json.end();
}

/// Every genotype that others came before, by the epoch from which on it held.
void write_pictures(JsonWriter& json, const Archive& archive) {
  std::vector<std::pair<std::size_t, Genotype>> drawn;
  if (stored::is_of_kind(archive, run_kind)) {
    std::size_t epoch = 0;
    for (Genotype& genotype : genotypes(archive)) {
      if (drawn.empty() || !(drawn.back().second == genotype)) drawn.emplace_back(epoch, std::move(genotype));
      ++epoch;
    }
  } else {
    drawn.emplace_back(
        0, genotype_from_json(archive.text("/genotype"), archive.name() + ": /genotype", ErrorCode::bad_data));
  }
  const std::size_t left_out = drawn.size() - std::min(drawn.size(), kMostPictures);
  json.member("pictures_left_out", left_out).key("pictures").begin_list();
  for (std::size_t i = left_out; i < drawn.size(); ++i) {
    std::string svg;
    try {
      svg = svg_of(to_dot(drawn[i].second));
    } catch (const Error&) {  // one picture less is no reason to have no page, which says so
    }
    if (!svg.empty()) json.begin_object().member("epoch", drawn[i].first).member("image", image_address(svg)).end();
  }
  json.end();
}

void write_run(JsonWriter& json, const Archive& archive) {
  const bool search = stored::is_of_kind(archive, run_kind);
  json.begin_object().member("file", archive.name()).member("kind", search ? "search" : "network");
  write_archive(json, archive);
  // Texts, for a number of 64 bits is none of JavaScript's.
  json.member("seed", std::to_string(archive.integer("/provenance", "seed")))
      .member("config_text", archive.text(stored::resolved_config));
  write_numbers(json.key("epoch_seconds"), archive.values<double>(stored::epoch_seconds));
  if (search) write_alphas(json, archive);
  write_pictures(json, archive);
  json.end();
}

/// JSON as it may stand within a script element: nothing in it ends that.
std::string within_script(const std::string& json) {
  std::string text;
  for (const char c : json) {
    if (c == '<' || c == '>' || c == '&')
      text += c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026";
    else
      text += c;
  }
  return text;
}

std::string part_of_page(const std::string& name) {
  const std::filesystem::path file = installed("share/mixop/report") / name;
  std::optional<std::string> text = whole_file(file);
  if (!text)
    throw Error(ErrorCode::failed, file.string() + ": cannot be read; it comes with mixop, so install that anew");
  return std::move(*text);
}

/// The source of a Content-Security-Policy that allows this text alone.
std::string source_of(const std::string& text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  const Sha256::Digest digest = hash.digest();
  return "'sha256-" + base64(digest.data(), digest.size()) + "'";
}

/// The page with what stands for the names in it, each once.
std::string filled(const std::string& page, const std::map<std::string, std::string>& values) {
  std::string text;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t begin = page.find("@@", at),
                      end = begin == std::string::npos ? begin : page.find("@@", begin + 2);
    if (end == std::string::npos) return text + page.substr(at);
    text += page.substr(at, begin - at) + values.at(page.substr(begin + 2, end - begin - 2));
    at = end + 2;
  }
  return text;
}

}  // namespace

std::string report_page(const std::vector<const Archive*>& archives) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("mixop", MIXOP_VERSION_STRING).key("runs").begin_list();
  for (const Archive* archive : archives) write_run(json, *archive);
  json.end().end();
  const std::string script = part_of_page("report.js"), style = part_of_page("report.css");
  return filled(part_of_page("report.html"), {{"script", script},
                                              {"style", style},
                                              {"script-source", source_of(script)},
                                              {"style-source", source_of(style)},
                                              {"data", within_script(json.text())}});
}

}  // namespace mixop
