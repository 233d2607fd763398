#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/cost_table.h"
#include "bitplan/layer_work.h"

namespace bitplan {

/// Energy of each operation and of each byte moved. The default is a 45 nm process at 0.9 V: Horowitz, "Computing's
/// energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9; weights come from DRAM (1.3 nJ for 64
/// bits), activations go through an SRAM of 1 MB (100 pJ for 64 bits). File form: `bitplan.energy/1`. All numbers in
/// pJ, finite and ≥ 0.
struct EnergyModel {
  std::string source = "45 nm, Horowitz, ISSCC 2014";
  double int8_multiply_pj = 0.2;
  double int32_add_pj = 0.1;         ///< accumulates an integer product
  double float16_mac_pj = 1.5;       ///< multiply 1.1, add 0.4
  double float32_mac_pj = 4.6;       ///< multiply 3.7, add 0.9
  double weight_byte_pj = 162.5;     ///< reads a byte of a weight
  double activation_byte_pj = 12.5;  ///< reads or writes a byte of an activation
};

/// The cost `energy_uj` of one sample, in µJ. Widths w and a of at most 8 bits multiply in integers, at the energy of
/// the 8-bit multiplier times w·a / 64, which is an estimate; of other pairs the wider one says in which float they
/// multiply. An input of a bits is read as ⌈n·a / 8⌉ bytes, weights alike; the output is written at the input's width.
CostTable Energy(const std::vector<LayerWork>& layers, const EnergyModel& model, const std::vector<int>& weight_bits,
                 const std::vector<int>& activation_bits);

/// Throws Error naming file, key and what was expected.
EnergyModel ReadEnergyModel(const std::filesystem::path& file);

}  // namespace bitplan
