#pragma once

#include "bitplan/export.h"

namespace bitplan::exporters {

/// All that a plan can have, but for ranges that are found at run time.
ExporterTraits AllButDynamic();

/// Of an exporter of widths alone, as frameworks' own allocations are: integers, inputs left in float.
ExporterTraits WidthsOnly(std::vector<int> weight_bits);

/// "float16 and integers of 2, 4, 8 bits (symmetric; tensor, channel)", or "float alone".
std::string TextOf(const CarriedFormats& formats);

/// The exporter's name, with the flavor where it has several.
std::string NameOf(const Exporter& exporter, std::string_view flavor);

/// The flavor that `options` ask for: the first where they ask for none. Throws Error where the exporter has it not.
std::string FlavorOf(const Exporter& exporter, const ExportOptions& options);

/// As RequireCarried, of a plan whose layers are in the network's order.
void CheckCarried(const Network& network, const Plan& plan, const Exporter& exporter, const ExportOptions& options);

}  // namespace bitplan::exporters
