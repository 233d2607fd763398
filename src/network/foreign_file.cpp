#include "foreign_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/error.h"
#include "decode/zip.h"

namespace bitplan::network {

namespace {

using decode::ZipArchive;

constexpr std::string_view kSaveIt = "torch.jit.script(model).save(FILE), or torch.jit.trace(model, example).save(FILE)";

/// What a file is, and what its owner can do.
[[noreturn]] void Refuse(const std::filesystem::path& file, const std::string& what, const std::string& remedy) {
  throw Error(fmt::format("{}: not a TorchScript file: {}; {}", file.string(), what, remedy));
}

std::string BuildAndSave(std::string_view loading) {
  return fmt::format("in Python, build the model, {}, call model.eval(), and save it with {}", loading, kSaveIt);
}

constexpr std::string_view kFromPyTorch =
    "bitplan reads the PyTorch model that it was exported from, in Python: torch.jit.script(model).save(FILE)";

/// The first bytes of a file.
std::string Head(const std::filesystem::path& file) {
  std::string head(64, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return head;
}

/// A header's size in 8 bytes, then the header in JSON.
bool IsSafetensors(const std::string& head) {
  if (head.size() < 9 || head[8] != '{') return false;
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(head[i]);
  return size < (std::uint64_t{1} << 30);
}

/// A protocol buffer whose first field is the version of ONNX's representation, followed by the producer's name, a
/// domain, operator sets or the graph.
bool IsOnnx(const std::filesystem::path& file, const std::string& head) {
  if (file.extension() == ".onnx") return true;
  constexpr std::string_view kNext = "\x12\x1a\x22\x28\x32\x3a\x42";
  return head.size() > 2 && head[0] == '\x08' && head[1] > 0 && head[1] < 32 && kNext.find(head[2]) != kNext.npos;
}

struct Signature {
  std::size_t at;
  std::string_view bytes, what, remedy;
};

constexpr std::array kSignatures = {
    Signature{0, "version https://git-lfs", "a pointer of Git LFS to the file", "git lfs pull brings the file itself"},
    Signature{0, "\x89HDF", "an HDF5 file, as Keras writes them", "models come from PyTorch"},
    Signature{0, "GGUF", "a GGUF file, as llama.cpp reads them", kFromPyTorch},
    Signature{4, "TFL3", "a TensorFlow Lite file", kFromPyTorch},
    Signature{4, "ET12", "an ExecuTorch program", kFromPyTorch},
    Signature{0, "\x1f\x8b", "compressed by gzip", "unpack it first"},
    Signature{0, "{", "JSON text", "give the model's file here"},
    Signature{0, "<", "a page of a web site, not what it links to", "download the file itself"}};

void RefuseBytes(const std::filesystem::path& file, const std::string& head) {
  const auto starts = [&](std::size_t at, std::string_view bytes) {
    return head.size() >= at + bytes.size() && std::string_view(head).substr(at, bytes.size()) == bytes;
  };
  if (head.empty()) Refuse(file, "it is empty", fmt::format("save the model with {}", kSaveIt));
  if (IsSafetensors(head))
    Refuse(file, "safetensors, which hold weights without the network that computes with them",
           BuildAndSave("load them with safetensors.torch.load_model(model, FILE)"));
  if (IsOnnx(file, head)) Refuse(file, "an ONNX model", std::string(kFromPyTorch));
  if (head.size() > 1 && head[0] == '\x80' && head[1] <= 5)
    Refuse(file, "a pickle, as torch.save wrote them before PyTorch 1.6",
           BuildAndSave("load it with torch.load(FILE) or model.load_state_dict(torch.load(FILE))"));
  for (const Signature& known : kSignatures)
    if (starts(known.at, known.bytes)) Refuse(file, std::string(known.what), std::string(known.remedy));
  Refuse(file, "it is no zip archive", fmt::format("save the model with {}", kSaveIt));
}

/// The first class that a pickle names, "collections.OrderedDict"; of protocols below 4, which torch.save writes.
std::string FirstClass(const std::string& pickle) {
  for (auto at = pickle.find('c'); at != std::string::npos; at = pickle.find('c', at + 1)) {
    const auto module_end = pickle.find('\n', at);
    if (module_end == std::string::npos) break;
    const auto name_end = pickle.find('\n', module_end + 1);
    if (name_end == std::string::npos) break;
    const std::string name = pickle.substr(at + 1, module_end - at - 1) + "." +
                             pickle.substr(module_end + 1, name_end - module_end - 1);
    const bool is_name = std::all_of(name.begin(), name.end(), [](char letter) {
      return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_' || letter == '.';
    });
    if (is_name) return name;
  }
  return "";
}

/// What torch.save wrote: a dict, a tensor, or a whole module.
void RefusePickle(const std::filesystem::path& file, const std::string& pickle) {
  const std::string name = FirstClass(pickle);
  const bool is_dict = pickle.size() > 2 && (pickle[2] == '}' || name == "collections.OrderedDict");
  if (is_dict)
    Refuse(file, "a dict by torch.save, as state_dict() gives: weights without the network that computes with them",
           BuildAndSave("load them with model.load_state_dict(torch.load(FILE)), of a training checkpoint the entry of "
                        "the model"));
  if (name.empty() || name.starts_with("torch._utils._rebuild") || name.starts_with("torch.storage"))
    Refuse(file, "tensors by torch.save", "they can be data (--data pt:FILE); give the model's TorchScript file here");
  Refuse(file, fmt::format("a module of class {}, pickled by torch.save, which only the Python source of the class can "
                           "read",
                           name),
         fmt::format("in Python, model = torch.load(FILE, weights_only=False).eval(), and save it with {}", kSaveIt));
}

std::optional<std::size_t> Find(const ZipArchive& archive, std::string_view part) {
  const auto& names = archive.names();
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const std::string& name) { return name == part.substr(1) || name.ends_with(part); });
  return found == names.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - names.begin()));
}

void RefuseArchive(const std::filesystem::path& file, const ZipArchive& archive) {
  if (Find(archive, "/archive_format") || Find(archive, "/serialized_exported_program.json"))
    Refuse(file, "an archive of torch.export",
           "until bitplan reads these, in Python: "
           "torch.jit.trace(torch.export.load(FILE).module(), example).save(\"model.pt\")");
  if (const auto pickle = Find(archive, "/data.pkl")) {
    const std::vector<std::uint8_t> bytes = archive.Read(*pickle);
    RefusePickle(file, std::string(bytes.begin(), bytes.end()));
  }
  if (!archive.names().empty() && archive.names().front().ends_with(".npy"))
    Refuse(file, "NumPy arrays (.npz)", "they can be data (--data npz:FILE); give the model's TorchScript file here");
  Refuse(file, "a zip archive of something else", fmt::format("save the model with {}", kSaveIt));
}

bool IsTorchScript(const ZipArchive& archive) {
  return Find(archive, "/data.pkl") && Find(archive, "/constants.pkl") && !Find(archive, "/archive_format");
}

}  // namespace

void RequireTorchScript(const std::filesystem::path& file) {
  const std::string head = Head(file);
  if (!head.starts_with("PK")) RefuseBytes(file, head);
  std::optional<ZipArchive> archive;
  try {
    archive.emplace(file);
  } catch (const Error& error) {
    throw Error(fmt::format("{} (not a TorchScript file that can be read); it was cut off, or overwritten in part: copy "
                            "or save it anew",
                            error.what()));
  }
  if (!IsTorchScript(*archive)) RefuseArchive(file, *archive);
  try {
    archive->Verify();
  } catch (const Error& error) {
    throw Error(fmt::format("{}; the model file was changed after it was saved: copy or save it anew", error.what()));
  }
}

}  // namespace bitplan::network
