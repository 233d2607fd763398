#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "data/spec.h"

namespace bitplan::data {

/// Which images a folder has, and their labels.
struct ImageFolder {
  std::vector<std::string> files;  ///< with the folder's name
  at::Tensor labels;               ///< int64 or float64, [n]
};

/// As torchvision's ImageFolder lists it: the folders within are the classes, by name; of each the files in it and
/// below that are named as images are (.jpg, .png, … in any case), by name. With a labels file, what that lists, in its
/// order: lines NAME LABEL, the file's name within the folder and a number. Links are followed. Throws Error: no
/// folder, no class, a class without images, a folder that links to one that it is in; a malformed line, a name twice
/// or that leads out of the folder, a label that is no number or a negative whole one other than kIgnoredLabel.
ImageFolder ListImages(const Spec& spec);

/// SHA-256 of the names, sizes and labels of these files and of how they are resized and cropped, in hexadecimal.
std::string ImageFolderSha256(const ImageFolder& images, const std::filesystem::path& folder,
                              const DataOptions& options);

}  // namespace bitplan::data
