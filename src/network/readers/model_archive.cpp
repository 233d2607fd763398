#include "readers/model_archive.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/error.h"
#include "decode/pickle.h"
#include "network/torch_error.h"
#include "readers/script_code.h"

namespace bitplan::network {

namespace {

std::string InSmallLetters(std::string name) {
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return name;
}

/// "NAME/", as archives have that were packed again.
bool IsFolder(const std::string& name) { return name.ends_with('/'); }

[[noreturn]] void RefuseDirectory() { throw Error("its directory is damaged: it can be read in two ways"); }

class ScriptArchive {
 public:
  explicit ScriptArchive(const decode::ZipArchive& zip) : zip_(zip) {
    root_ = zip.names().front().substr(0, zip.names().front().find('/') + 1);
    for (std::size_t i = 0; i < zip.names().size(); ++i) {
      const std::string& name = zip.names()[i];
      // LibTorch takes the first, whatever the case of its letters.
      if (!IsFolder(name) && !entries_.emplace(InSmallLetters(name), i).second)
        throw Error(fmt::format("entry {} stands in it twice, but for the case of letters", name));
    }
  }

  void Check(const std::filesystem::path& file) const {
    CheckUnpackedSize(zip_);
    zip_.Verify();
    CheckSameForLibTorch(file);
    for (std::size_t i = 0; i < zip_.names().size(); ++i) {
      const std::string& name = zip_.names()[i];
      try {
        if (IsPickle(name)) CheckPickle(i, name);
        if (name.starts_with(root_ + "code/") && name.ends_with(".py")) CheckCode(i);
      } catch (const Error& error) {
        throw Error(fmt::format("entry {} cannot be read: {}", name, error.what()));
      }
    }
  }

 private:
  /// Those that are read; of a user's own there may be others.
  bool IsPickle(const std::string& name) const {
    return name == root_ + "data.pkl" || name == root_ + "constants.pkl" || name == root_ + "traced_inputs.pkl" ||
           (name.starts_with(root_ + "code/") && name.ends_with(".debug_pkl"));
  }

  /// Elements of data.pkl are in data/, and so on; those of traced_inputs.pkl are never read, and often left out.
  void CheckPickle(std::size_t index, const std::string& name) const {
    const bool is_read = name != root_ + "traced_inputs.pkl";
    const std::string folder = InSmallLetters(name.substr(0, name.rfind('.')) + "/");
    const std::vector<std::uint8_t> bytes = zip_.Read(index);
    decode::CheckPickle(bytes, [&](const std::string& key) -> std::optional<std::uint64_t> {
      if (!is_read) return std::numeric_limits<std::uint64_t>::max();
      const auto found = entries_.find(folder + InSmallLetters(key));
      return found == entries_.end() ? std::nullopt : std::optional(zip_.Size(found->second));
    });
  }

  void CheckCode(std::size_t index) const {
    const std::vector<std::uint8_t> bytes = zip_.Read(index);
    CheckScriptCode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  /// Two readers of zip archives may take the same bytes for different entries.
  void CheckSameForLibTorch(const std::filesystem::path& file) const {
    caffe2::serialize::PyTorchStreamReader reader(file.string());
    std::size_t found = 0;
    for (const std::string& name : reader.getAllRecords()) {
      if (IsFolder(root_ + name)) continue;
      const auto entry = entries_.find(InSmallLetters(root_ + name));
      if (entry == entries_.end() || reader.getRecordSize(name) != zip_.Size(entry->second)) RefuseDirectory();
      ++found;
    }
    if (found != entries_.size()) RefuseDirectory();
  }

  const decode::ZipArchive& zip_;
  std::string root_;                            // "NAME/"
  std::map<std::string, std::size_t> entries_;  // by name in small letters
};

}  // namespace

void CheckUnpackedSize(const decode::ZipArchive& archive) {
  constexpr std::uint64_t kAlways = std::uint64_t{128} << 20, kTimesTheFile = 10;
  const std::uint64_t most = kAlways + kTimesTheFile * archive.file_bytes();
  std::uint64_t unpacked = 0;
  for (std::size_t i = 0; i < archive.names().size(); ++i) {
    if (archive.IsStored(i)) continue;
    if (archive.Size(i) > most - unpacked)
      throw Error(
          fmt::format("its compressed entries unpack to more than {} MiB, many times the file: pack it without "
                      "compression, as PyTorch does",
                      most >> 20));
    unpacked += archive.Size(i);
  }
}

void CheckScriptArchive(const ModelContent& content) {
  try {
    ScriptArchive(*content.archive()).Check(content.file());
  } catch (const Error& error) {
    const std::string text = error.what();
    const bool named = text.starts_with(content.file().string());
    throw Error(fmt::format("{}{}; the model file was damaged or changed after it was saved: copy or save it anew",
                            named ? "" : content.file().string() + ": ", text));
  } catch (const c10::Error& error) {
    throw Error(
        fmt::format("{}: not a TorchScript file that can be read ({})", content.file().string(), TorchReason(error)));
  }
}

}  // namespace bitplan::network
