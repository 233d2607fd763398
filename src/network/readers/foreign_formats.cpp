#include "readers/foreign_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

constexpr std::string_view kSaveIt =
    "torch.jit.script(model).save(FILE), or torch.jit.trace(model, example).save(FILE)";

constexpr std::string_view kFromPyTorch =
    "bitplan reads the PyTorch model that it was exported from, in Python: torch.jit.script(model).save(FILE)";

std::string SaveTheModel() { return fmt::format("save the model with {}", kSaveIt); }

std::string BuildAndSave(std::string_view loading) {
  return fmt::format("in Python, build the model, {}, call model.eval(), and save it with {}", loading, kSaveIt);
}

/// What a file is, and what its owner can do.
[[noreturn]] void Refuse(const ModelContent& content, const std::string& what, const std::string& remedy) {
  throw Error(fmt::format("{}: not a TorchScript file: {}; {}", content.file().string(), what, remedy));
}

class ForeignFormat : public ModelReader {
 public:
  using Recognize = std::function<bool(const ModelContent&)>;
  ForeignFormat(std::string what, std::string remedy, Recognize recognize)
      : what_(std::move(what)), remedy_(std::move(remedy)), recognize_(std::move(recognize)) {}

  std::string Name() const override { return what_; }
  bool Recognizes(const ModelContent& content) const override { return recognize_(content); }
  LoweredGraph Read(const ModelContent& content, const NetworkOptions&) const override {
    Refuse(content, what_, remedy_);
  }

 private:
  std::string what_, remedy_;
  Recognize recognize_;
};

/// Of torch.save, which keeps tensors apart.
constexpr std::uint64_t kLargestPickle = std::uint64_t{256} << 20;

/// The pickle of torch.save; empty where the archive has none.
std::string PickleOf(const ModelContent& content) {
  const auto entry = content.Find("data.pkl");
  if (!entry || content.archive()->Size(*entry) > kLargestPickle) return "";
  const std::vector<std::uint8_t> bytes = content.archive()->Read(*entry);
  return {bytes.begin(), bytes.end()};
}

/// The first class that a pickle names, "collections.OrderedDict"; of protocols below 4, which torch.save writes.
std::string FirstClass(const std::string& pickle) {
  for (auto at = pickle.find('c'); at != std::string::npos; at = pickle.find('c', at + 1)) {
    const auto module_end = pickle.find('\n', at);
    if (module_end == std::string::npos) break;
    const auto name_end = pickle.find('\n', module_end + 1);
    if (name_end == std::string::npos) break;
    const std::string name =
        pickle.substr(at + 1, module_end - at - 1) + "." + pickle.substr(module_end + 1, name_end - module_end - 1);
    const bool is_name = std::all_of(name.begin(), name.end(), [](char letter) {
      return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_' || letter == '.';
    });
    if (is_name) return name;
  }
  return "";
}

bool HoldsDict(const ModelContent& content) {
  const std::string pickle = PickleOf(content);
  return pickle.size() > 2 && (pickle[2] == '}' || FirstClass(pickle) == "collections.OrderedDict");
}

bool HoldsTensorsAlone(const ModelContent& content) {
  if (!content.Has("data.pkl")) return false;
  const std::string name = FirstClass(PickleOf(content));
  return name.empty() || name.starts_with("torch._utils._rebuild") || name.starts_with("torch.storage");
}

/// torch.save(model, FILE).
class PickledModule : public ModelReader {
 public:
  std::string Name() const override { return "a module, pickled by torch.save"; }
  bool Recognizes(const ModelContent& content) const override { return content.Has("data.pkl"); }
  LoweredGraph Read(const ModelContent& content, const NetworkOptions&) const override {
    Refuse(
        content,
        fmt::format("a module of class {}, pickled by torch.save, which only the Python source of the class can read",
                    FirstClass(PickleOf(content))),
        fmt::format("in Python, model = torch.load(FILE, weights_only=False).eval(), and save it with {}", kSaveIt));
  }
};

bool HoldsArrays(const ModelContent& content) {
  return content.archive() && !content.archive()->names().empty() &&
         content.archive()->names().front().ends_with(".npy");
}

/// A header's size in 8 bytes, then the header in JSON.
bool IsSafetensors(const ModelContent& content) {
  const std::string& head = content.head();
  if (head.size() < 9 || head[8] != '{') return false;
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(head[i]);
  return size < (std::uint64_t{1} << 30);
}

bool IsOldPickle(const ModelContent& content) {
  return content.head().size() > 1 && content.head()[0] == '\x80' && content.head()[1] <= 5;
}

using Readers = std::vector<std::unique_ptr<const ModelReader>>;

void AddFormat(Readers& readers, std::string what, std::string remedy, ForeignFormat::Recognize recognize) {
  readers.push_back(std::make_unique<ForeignFormat>(std::move(what), std::move(remedy), std::move(recognize)));
}

void AddArchives(Readers& readers) {
  AddFormat(
      readers, "a dict by torch.save, as state_dict() gives: weights without the network that computes with them",
      BuildAndSave("load them with model.load_state_dict(torch.load(FILE)), of a training checkpoint the entry of "
                   "the model"),
      HoldsDict);
  AddFormat(readers, "tensors by torch.save",
            "they can be data (--data pt:FILE); give the model's TorchScript file here", HoldsTensorsAlone);
  readers.push_back(std::make_unique<PickledModule>());
  AddFormat(readers, "NumPy arrays (.npz)",
            "they can be data (--data npz:FILE); give the model's TorchScript file here", HoldsArrays);
  AddFormat(readers, "a zip archive of something else", SaveTheModel(),
            [](const ModelContent& content) { return content.archive() != nullptr; });
}

/// Formats that begin with bytes of their own.
void AddSigned(Readers& readers) {
  const auto add = [&](std::size_t at, std::string_view bytes, const char* what, std::string_view remedy) {
    AddFormat(readers, what, std::string(remedy),
              [at, bytes](const ModelContent& content) { return content.HasBytes(at, bytes); });
  };
  add(0, "version https://git-lfs", "a pointer of Git LFS to the file", "git lfs pull brings the file itself");
  add(0, "\x89HDF", "an HDF5 file, as Keras writes them", "models come from PyTorch");
  add(0, "GGUF", "a GGUF file, as llama.cpp reads them", kFromPyTorch);
  add(4, "TFL3", "a TensorFlow Lite file", kFromPyTorch);
  add(4, "ET12", "an ExecuTorch program", kFromPyTorch);
  add(0, "\x1f\x8b", "compressed by gzip", "unpack it first");
  add(0, "{", "JSON text", "give the model's file here");
  add(0, "<", "a page of a web site, not what it links to", "download the file itself");
}

}  // namespace

void AddForeignFormats(Readers& readers) {
  AddArchives(readers);
  AddFormat(readers, "safetensors, which hold weights without the network that computes with them",
            BuildAndSave("load them with safetensors.torch.load_model(model, FILE)"), IsSafetensors);
  AddFormat(readers, "a pickle, as torch.save wrote them before PyTorch 1.6",
            BuildAndSave("load it with torch.load(FILE) or model.load_state_dict(torch.load(FILE))"), IsOldPickle);
  AddSigned(readers);
  AddFormat(readers, "it is empty", SaveTheModel(), [](const ModelContent& content) { return content.head().empty(); });
  AddFormat(readers, "it is no zip archive", SaveTheModel(), [](const ModelContent&) { return true; });
}

}  // namespace bitplan::network
