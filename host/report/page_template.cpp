#include "host/report/page_template.hpp"

#include <openssl/evp.h>

#include "host/text/printable.hpp"
#include "host/text/sha256.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::failed, file + ": " + what + "; it is of another version of mixop, so install that anew");
}

}  // namespace

std::string filled(const std::string& page, const std::map<std::string, std::string>& values, const std::string& file) {
  std::string text;
  std::map<std::string, std::string> left = values;
  for (std::size_t at = 0;;) {
    const std::size_t begin = page.find("@@", at);
    text += page.substr(at, begin - at);
    if (begin == std::string::npos) break;
    const std::size_t end = page.find("@@", begin + 2);
    if (end == std::string::npos)
      refuse(file, "expected another @@ behind that at byte " + std::to_string(begin) + ", found none");
    const std::string name = page.substr(begin + 2, end - begin - 2);
    const auto value = left.find(name);
    if (value == left.end()) {
      std::string names;
      for (const auto& [known, unused] : values) names += (names.empty() ? "" : ", ") + known;
      refuse(file, "expected once each of " + names + " between two @@, found '" + excerpt(name) + "'" +
                       (values.count(name) != 0 ? " again" : ""));
    }
    text += value->second;
    left.erase(value);
    at = end + 2;
  }
  if (!left.empty()) refuse(file, "expected @@" + left.begin()->first + "@@, found none");
  return text;
}

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

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string policy_source(const std::string& text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  const Sha256::Digest digest = hash.digest();
  return "'sha256-" + base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "'";
}

}  // namespace mixop
