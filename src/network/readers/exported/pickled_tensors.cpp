#include "readers/exported/pickled_tensors.h"

#include <caffe2/serialize/in_memory_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "decode/pickle.h"
#include "decode/zip.h"
#include "network/torch_error.h"
#include "readers/model_archive.h"

namespace bitplan::network {

namespace {

/// LibTorch's reader of pickles takes an OrderedDict for nothing, as it only knows those that tensors carry for their
/// hooks. What begins with one is given to it as a tuple of that nothing and a dict.
std::string WithPlainDict(std::string pickle) {
  constexpr std::string_view kProtocol("\x80\x02", 2), kEmptyOrderedDict("ccollections\nOrderedDict\nq\x00)R", 29);
  constexpr std::string_view kEmptyDict = "}", kPairAndStop = "\x86.";
  const std::size_t begin = kProtocol.size();
  if (!pickle.starts_with(kProtocol) || pickle.compare(begin, kEmptyOrderedDict.size(), kEmptyOrderedDict) != 0)
    return pickle;
  pickle.insert(begin + kEmptyOrderedDict.size(), kEmptyDict);
  pickle.replace(pickle.size() - 1, 1, kPairAndStop);
  return pickle;
}

/// Parameters that carry attributes, as torch.export leaves them in strict mode, are made by a function that LibTorch's
/// reader does not know; the one that makes plain ones takes the same arguments first.
std::string WithPlainParameters(std::string pickle) {
  constexpr std::string_view kWithState = "ctorch._utils\n_rebuild_parameter_with_state\n";
  constexpr std::string_view kPlain = "ctorch._utils\n_rebuild_parameter\n";
  for (auto at = pickle.find(kWithState); at != std::string::npos; at = pickle.find(kWithState, at))
    pickle.replace(at, kWithState.size(), kPlain);
  return pickle;
}

c10::IValue Unpickle(caffe2::serialize::PyTorchStreamReader& archive) {
  const auto [data, size] = archive.getRecord("data.pkl");
  const std::string pickle =
      WithPlainParameters(WithPlainDict(std::string(static_cast<const char*>(data.get()), size)));
  const std::span<const char> bytes(pickle);
  decode::CheckPickle({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                      [&](const std::string& key) -> std::optional<std::uint64_t> {
                        if (!archive.hasRecord("data/" + key)) return std::nullopt;
                        return archive.getRecordSize("data/" + key);
                      });
  std::size_t at = 0;
  const auto read = [&](char* to, std::size_t length) {
    const std::size_t count = std::min(length, pickle.size() - at);
    std::memcpy(to, pickle.data() + at, count);
    at += count;
    return count;
  };
  const auto read_record = [&](const std::string& name) { return std::get<0>(archive.getRecord("data/" + name)); };
  c10::IValue value = torch::jit::Unpickler(read, nullptr, nullptr, read_record, c10::Device(c10::kCPU)).parse_ivalue();
  return value.isTuple() && value.toTupleRef().elements().size() == 2 ? value.toTupleRef().elements()[1] : value;
}

}  // namespace

std::vector<std::pair<std::string, at::Tensor>> ReadPickledTensors(std::span<const std::uint8_t> bytes) {
  try {
    CheckUnpackedSize(decode::ZipArchive(bytes, "it"));
    caffe2::serialize::PyTorchStreamReader archive(
        std::make_shared<caffe2::serialize::MemoryReadAdapter>(bytes.data(), static_cast<off_t>(bytes.size())));
    const c10::IValue state = Unpickle(archive);
    if (!state.isGenericDict()) throw Error("it holds something else");
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    const auto items = state.toGenericDict();
    for (const auto& item : items)
      if (item.key().isString() && item.value().isTensor())
        tensors.emplace_back(item.key().toStringRef(), item.value().toTensor().detach());
    return tensors;
  } catch (const std::exception& error) {  // whatever it is: nothing but LibTorch's reader of tensors runs here
    throw Error(fmt::format("no dict of tensors by torch.save ({})", TorchReason(error)));
  }
}

}  // namespace bitplan::network
