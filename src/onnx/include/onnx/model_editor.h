#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "onnx/model.h"

namespace bitplan::onnx {

/// Values to be put into a file, as Tensor has them: row-major, a byte an element of types of four or two bits.
struct NewTensor {
  std::string name;
  ElementType type = ElementType::Undefined;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

/// An operator of the default domain to be put into a file. Attributes: numbers, texts and lists of integers.
struct NewNode {
  std::string op;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, AttributeValue> attributes = {};
};

/// A place where a node reads a value.
struct NodeInput {
  std::string node;  ///< as Node::name
  std::size_t index = 0;
};

/// A model's file with changes. All that is not changed stays as the file has it, also what this reader has no field
/// for. Nodes are named as ReadModel names them.
class ModelEditor {
 public:
  /// Throws Error as ReadModel does of the file's form.
  explicit ModelEditor(const std::filesystem::path& file);
  ~ModelEditor();
  ModelEditor(const ModelEditor&) = delete;
  ModelEditor& operator=(const ModelEditor&) = delete;

  /// Whether the node can be changed: whether it stands in a graph, not in a function's body.
  bool Has(const std::string& node) const;

  /// A name that no value has: `wanted`, or with a number behind it. Never given twice.
  std::string NewName(const std::string& wanted);

  /// Adds an initializer of the model's graph, which all graphs see. Its name is to be a NewName.
  void Add(const NewTensor& tensor);

  /// Adds a node that needs no other one: as the first of the graph that `beside` stands in.
  void AddFirst(const std::string& beside, const NewNode& node);

  /// Adds a node before all of `readers`, which stand in one graph; of several the ones added before come first.
  void AddBefore(const std::vector<std::string>& readers, const NewNode& node);

  /// Adds a node right after that one.
  void AddAfter(const std::string& node, const NewNode& added);

  /// Of nodes in the same graph the number is the same.
  std::size_t GraphOf(const std::string& node) const;

  /// What the node reads at an input; "" of one that is left out.
  std::string InputOf(const NodeInput& place) const;
  void SetInput(const NodeInput& place, const std::string& value);
  std::string OutputOf(const std::string& node, std::size_t index) const;

  /// Gives an output of the node another name, which is returned; what reads it reads what is yet to be defined.
  std::string DivertOutput(const std::string& node, std::size_t index);

  /// Takes the node out: its first input takes the place of its first output.
  void Remove(const std::string& node);

  /// The file is to declare an operator set of at least that version.
  void RaiseOpset(std::int64_t opset);

  /// A text that the file is to have under that key, beside the graph.
  void SetMetadata(const std::string& key, const std::string& text);

  /// The file with what the changes left unread taken out. Tensors that lay outside of it are inside, so that it can go
  /// to any folder. Throws Error where that is more than 2 GiB, and naming a
  /// node that has no form in the operator set. Afterwards the editor is of no use.
  std::string Finish();

 private:
  void RaiseNodesTo(std::int64_t opset);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitplan::onnx
