#pragma once

#include <memory>
#include <vector>

#include "bitplan/export.h"

namespace bitplan::exporters {

// Recipes: what frameworks take of a plan, as files of a few kilobytes. Each is made in a file of its name.

std::shared_ptr<const Exporter> AimetRecipe();
std::shared_ptr<const Exporter> ModelOptRecipe();
std::shared_ptr<const Exporter> TorchAoRecipe();
std::shared_ptr<const Exporter> TorchAoCodesRecipe();
std::shared_ptr<const Exporter> GptqModelRecipe();
std::shared_ptr<const Exporter> AutoRoundRecipe();
std::shared_ptr<const Exporter> GgufTypesRecipe();
std::shared_ptr<const Exporter> OrtOverridesRecipe();
std::shared_ptr<const Exporter> BrevitasRecipe();
std::shared_ptr<const Exporter> MctRecipe();
std::shared_ptr<const Exporter> CoreMlRecipe();
std::shared_ptr<const Exporter> HawqRecipe();
std::shared_ptr<const Exporter> HaqRecipe();

}  // namespace bitplan::exporters
