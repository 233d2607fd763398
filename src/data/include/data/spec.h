#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bitplan::data {

enum class FileKind { Cifar10, Cifar100, Idx, Npy, Npz, Pt, Safetensors, Tokens, Images };

/// Which files a data set is in: KIND:FILE[,LABELS_FILE], of tokens KIND:FILE[,TYPE], taken apart.
struct Spec {
  FileKind kind = FileKind::Cifar10;
  std::filesystem::path file;
  std::optional<std::filesystem::path> labels = {};
  std::optional<std::string> type = {};  ///< of the numbers of a file of tokens without a header, unchecked
};

/// KIND: may be left out where the file name's ending tells it; a comma belongs to the file name where a file of that
/// name exists. Throws Error: unknown kind (it lists them), no kind to be told, no file, a labels file that the kind
/// does not take.
Spec ParseSpec(std::string_view text);

}  // namespace bitplan::data
