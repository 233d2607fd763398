#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace bitplan::decode {

/// Bytes of the entry with the elements of a storage, by the storage's key in the pickle; nothing where there is none.
using StorageBytes = std::function<std::optional<std::uint64_t>(const std::string& key)>;

/// Checks a pickle as PyTorch writes them, for LibTorch, which believes what it says: nothing is in it but plain
/// values, dense tensors, and objects of the classes that a TorchScript file defines itself; the elements of every
/// tensor lie in its storage, and those of the storage in its entry; nothing contains itself, is nested without end, or
/// unfolds to much more than the file. Takes memory in proportion to the pickle. Throws Error, which names no file.
void CheckPickle(std::span<const std::uint8_t> pickle, const StorageBytes& storage_bytes);

}  // namespace bitplan::decode
