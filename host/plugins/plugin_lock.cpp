#include "host/plugins/plugin_lock.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "host/files/output.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kDigestDigits = 64;

// A text of a plugin's entry, by its key.
struct Field {
  const char* key;
  std::string LockedPlugin::*text;
};

constexpr std::array<Field, 5> kFields = {{{"id", &LockedPlugin::id},
                                           {"version", &LockedPlugin::version},
                                           {"file", &LockedPlugin::file},
                                           {"tier", &LockedPlugin::tier},
                                           {"sha256", &LockedPlugin::sha256}}};

// Refuses one lock file: every defect of it ends here.
class Reader {
 public:
  explicit Reader(const fs::path& file) : file_(file.string()) {}

  template <class Located>
  [[noreturn]] void refuse(const Located& at, const std::string& problem) const {
    throw Error(ErrorCode::bad_data,
                json_place(file_, at) + ": " + problem + ". Write the lock file anew with `mixop plugins lock`");
  }

  const JsonValue& member(const JsonValue& object, const char* key, JsonValue::Kind kind, const char* noun) const {
    const JsonValue* found = object.find(key);
    if (found == nullptr) refuse(object, "expected '" + std::string(key) + "', " + noun + "; found none");
    if (!found->is(kind))
      refuse(*found, "'" + std::string(key) + "': expected " + noun + ", found " + found->describe());
    return *found;
  }

  void require_keys(const JsonValue& object, const std::set<std::string>& known) const {
    for (const JsonMember& member : object.members)
      if (known.count(member.key) == 0) refuse(member, "unknown key '" + excerpt(member.key) + "'");
  }

  LockedPlugin plugin(const JsonValue& entry) const {
    if (!entry.is(JsonValue::Kind::object)) refuse(entry, "expected a plugin's object, found " + entry.describe());
    LockedPlugin plugin;
    std::set<std::string> known;
    for (const Field& field : kFields) {
      plugin.*field.text = member(entry, field.key, JsonValue::Kind::text, "a text").text;
      known.insert(field.key);
    }
    require_keys(entry, known);
    const bool digits = plugin.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!digits || plugin.sha256.size() != kDigestDigits)
      refuse(*entry.find("sha256"), "'sha256': expected 64 lower-case hexadecimal digits, found '" +
                                        excerpt(plugin.sha256, 2 * kDigestDigits) + "'");
    return plugin;
  }

 private:
  std::string file_;
};

std::string named(const LockedPlugin& plugin) { return plugin.id + " " + plugin.version + " (" + plugin.file + ")"; }

}  // namespace

PluginLock PluginLock::of(const PluginRegistry& registry) {
  PluginLock lock;
  for (const auto& plugin : registry.plugins())
    lock.plugins_.push_back({plugin->id, plugin->version, plugin->file.path.filename().string(),
                             tier_text(plugin->file.note.tier), plugin->file.sha256});
  std::sort(lock.plugins_.begin(), lock.plugins_.end(),
            [](const LockedPlugin& a, const LockedPlugin& b) { return a.id < b.id; });
  return lock;
}

PluginLock PluginLock::read(const fs::path& file) {
  std::error_code failure;
  if (!fs::exists(file, failure))
    throw Error(ErrorCode::usage,
                file.string() + ": there is no such lock file. Write one with `mixop plugins lock`, or name it with " +
                    "--locked=FILE");
  if (!fs::is_regular_file(file, failure))
    throw Error(ErrorCode::bad_data, file.string() +
                                         ": expected a lock file, found what is no regular file; name "
                                         "another with --locked=FILE");
  const JsonValue value = parse_json_file(file, ErrorCode::bad_data);
  const Reader reader(file);
  if (!value.is(JsonValue::Kind::object)) reader.refuse(value, "expected an object, found " + value.describe());
  const JsonValue& format = reader.member(value, "format", JsonValue::Kind::integer, "a whole number");
  if (format.integer != kFormat)
    reader.refuse(format, "expected lock file format " + std::to_string(kFormat) + ", found " + format.text);
  reader.require_keys(value, {"format", "plugins"});
  PluginLock lock;
  lock.file_ = file;
  std::set<std::string> ids;
  for (const JsonValue& entry : reader.member(value, "plugins", JsonValue::Kind::list, "a list").items) {
    lock.plugins_.push_back(reader.plugin(entry));
    if (!ids.insert(lock.plugins_.back().id).second)
      reader.refuse(entry, "the plugin '" + excerpt(lock.plugins_.back().id) + "' is listed twice");
  }
  return lock;
}

std::optional<PluginLock> PluginLock::replaceable(const fs::path& file) {
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(file, failure))) return std::nullopt;
  try {
    return read(file);
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, file.string() +
                                      " exists and is no lock file that can be replaced; remove it, or name another "
                                      "with --out\n" +
                                      error.what());
  }
}

std::string PluginLock::text() const {
  JsonWriter json;
  json.begin_object().member("format", kFormat).key("plugins").begin_list();
  for (const LockedPlugin& plugin : plugins_) {
    json.begin_object();
    for (const Field& field : kFields) json.member(field.key, plugin.*field.text);
    json.end();
  }
  return json.end().end().text() + "\n";
}

void PluginLock::write(const fs::path& file) const { write_text(text(), file); }

const LockedPlugin* PluginLock::find(const std::string& id) const {
  const auto found =
      std::find_if(plugins_.begin(), plugins_.end(), [&](const LockedPlugin& plugin) { return plugin.id == id; });
  return found == plugins_.end() ? nullptr : &*found;
}

std::string PluginLock::changes_since(const PluginLock& old) const {
  std::string lines;
  for (const LockedPlugin& plugin : plugins_) {
    const LockedPlugin* before = old.find(plugin.id);
    if (before == nullptr)
      lines += "  added   " + plugin.id + " " + plugin.version + "\n";
    else if (before->sha256 != plugin.sha256)
      lines += "  changed " + plugin.id + " " + before->version + " to " + plugin.version + "\n";
  }
  for (const LockedPlugin& plugin : old.plugins_)
    if (find(plugin.id) == nullptr) lines += "  removed " + plugin.id + " " + plugin.version + "\n";
  return lines;
}

void PluginLock::require_listed(const PluginFile& file) const {
  for (const LockedPlugin& plugin : plugins_)
    if (plugin.sha256 == file.sha256) return;
  std::string listed;
  for (const LockedPlugin& plugin : plugins_)
    if (plugin.file == file.path.filename().string()) listed = "; for " + named(plugin) + " it lists " + plugin.sha256;
  throw PluginRefused(PluginCheck::lock, file.path,
                      "its SHA-256 " + file.sha256 + " is not in " + file_.string() + listed +
                          ". Put the file back that was locked, or accept this one with `mixop plugins lock`");
}

void PluginLock::require_complete(const PluginRegistry& registry) const {
  std::string missing;
  for (const LockedPlugin& plugin : plugins_) {
    const auto is_loaded = [&](const auto& loaded) { return loaded->file.sha256 == plugin.sha256; };
    if (std::any_of(registry.plugins().begin(), registry.plugins().end(), is_loaded)) continue;
    std::string reason = "not found where plugins are looked for";
    for (const RefusedPlugin& refused : registry.refused())
      if (refused.path.filename() == plugin.file)
        reason = refused.path.string() + " is refused (" + name_of(refused.reason.check()) + ")";
    missing += "\n  " + named(plugin) + ": " + reason;
  }
  if (!missing.empty())
    throw Error(ErrorCode::plugin, file_.string() + " lists plugins that are not loaded:" + missing +
                                       "\nPut them back, or write the lock file anew with `mixop plugins lock`");
}

}  // namespace mixop
