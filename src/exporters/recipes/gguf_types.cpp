#include <fmt/format.h>

#include <array>
#include <regex>
#include <string_view>
#include <utility>

#include "bitplan/error.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

/// Names of Hugging Face's decoders and of llama.cpp's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTensors = {{
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"lm_head", "output"},
    {"embed_tokens", "token_embd"},
}};

/// The tensor's name in a GGUF file; empty where llama.cpp has none for it.
std::string GgufName(const std::string& module) {
  static const std::regex block(R"((?:.*\.)?layers\.(\d+)\.((?:self_attn|mlp)\.\w+))"),
      single(R"((?:.*\.)?(lm_head|embed_tokens))");
  std::smatch match;
  const bool in_block = std::regex_match(module, match, block);
  if (!in_block && !std::regex_match(module, match, single)) return "";
  const std::string part = match[in_block ? 2 : 1];
  for (const auto& [theirs, gguf] : kTensors)
    if (part == theirs) return in_block ? fmt::format("blk.{}.{}", match[1].str(), gguf) : std::string(gguf);
  return "";
}

/// Of integers those of blocks of 32 where the plan has such groups, else the K-quants; empty where there is none.
std::string GgufType(const Format& format) {
  switch (format.type) {
    case NumberType::Float32:
      return "f32";
    case NumberType::Float16:
      return "f16";
    case NumberType::BFloat16:
      return "bf16";
    case NumberType::Ternary:
      return "tq2_0";
    case NumberType::E2M1:
      return "mxfp4";
    default:
      break;
  }
  if (format.bits == 8) return "q8_0";
  if (format.InGroups() && (format.bits == 4 || format.bits == 5))
    return fmt::format("q{}_{}", format.bits, format.HasZeroPoint() ? 1 : 0);
  return fmt::format("q{}_k", format.bits);
}

/// A line for each tensor: regular expression = type.
std::string TypeFile(const Network& network, const Plan& plan) {
  std::string lines;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const std::string tensor = GgufName(ModuleOf(network, network.layers()[i], "gguf-types"));
    if (tensor.empty())
      throw Error(fmt::format("layer {}: gguf-types has no place for it: llama.cpp has no tensor for such a name",
                              plan.layers[i].name));
    lines += fmt::format("^{}\\.weight$={}\n", Escaped(tensor), GgufType(plan.layers[i].weight));
  }
  return lines;
}

}  // namespace

std::shared_ptr<const Exporter> GgufTypesRecipe() {
  ExporterTraits traits;
  traits.weights = {{2, 3, 4, 5, 6, 8},
                    {Scheme::Symmetric, Scheme::Asymmetric},
                    {NumberType::Ternary, NumberType::E2M1, NumberType::Float16, NumberType::BFloat16},
                    {Granularity::Channel, Granularity::Group, Granularity::Block},
                    {32}};
  traits.layer_ops = {"linear", "embedding"};
  return std::make_shared<WidthRecipe>("gguf-types", "the type file of llama-quantize --tensor-type-file", traits,
                                       TypeFile);
}

}  // namespace bitplan::exporters
