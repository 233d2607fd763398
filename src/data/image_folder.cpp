#include "image_folder.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

#include "bitplan/error.h"
#include "files/sha256.h"
#include "labels_file.h"

namespace bitplan::data {

namespace {

namespace fs = std::filesystem;

/// What torchvision takes for images; those of formats that are not decoded are refused, or skipped, as bad ones.
constexpr std::array<std::string_view, 9> kEndingsOfImages = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                                              ".pgm", ".tif",  ".tiff", ".webp"};

bool IsNamedAsImage(const std::string& name) {
  std::string small = name;
  std::ranges::transform(small, small.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::ranges::any_of(kEndingsOfImages, [&](std::string_view ending) { return small.ends_with(ending); });
}

/// Names in a folder, sorted: of folders, or of all else.
struct Entries {
  std::vector<std::string> folders, files;
};

Entries EntriesOf(const fs::path& folder) {
  Entries entries;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    std::error_code dangling;  // is found where the file is read
    const bool is_folder = entry->is_directory(dangling);
    (is_folder ? entries.folders : entries.files).push_back(entry->path().filename().string());
  }
  if (problem) throw Error(fmt::format("{}: cannot be read as a folder: {}", folder.string(), problem.message()));
  std::ranges::sort(entries.folders);
  std::ranges::sort(entries.files);
  return entries;
}

/// Folders below `folder` and itself; `within`: what it is in, links resolved.
void AddFolders(const fs::path& folder, std::vector<fs::path> within, std::vector<std::string>& found) {
  std::error_code problem;
  fs::path resolved = fs::canonical(folder, problem);
  if (problem) throw Error(fmt::format("{}: cannot be read as a folder: {}", folder.string(), problem.message()));
  if (std::ranges::find(within, resolved) != within.end())
    throw Error(fmt::format("{}: links to a folder that it is in", folder.string()));
  within.push_back(std::move(resolved));
  found.push_back(folder.string());
  for (const std::string& name : EntriesOf(folder).folders) AddFolders(folder / name, within, found);
}

std::vector<std::string> ImagesOf(const fs::path& of_class) {
  std::vector<std::string> folders, files;
  AddFolders(of_class, {}, folders);
  std::ranges::sort(folders);
  for (const std::string& folder : folders)
    for (const std::string& name : EntriesOf(folder).files)
      if (IsNamedAsImage(name)) files.push_back((fs::path(folder) / name).string());
  if (!files.empty()) return files;
  throw Error(
      fmt::format("{}: this class has no image (.jpg, .jpeg, .png or .webp); remove the folder, or name labels "
                  "in a file, images:FOLDER,LABELS.txt",
                  of_class.string()));
}

ImageFolder ListClasses(const fs::path& folder) {
  const std::vector<std::string> classes = EntriesOf(folder).folders;
  if (classes.empty())
    throw Error(
        fmt::format("{}: has no folder, and each class needs one with its images; else name labels in a file, "
                    "images:FOLDER,LABELS.txt",
                    folder.string()));
  ImageFolder images;
  std::vector<std::int64_t> labels;
  for (std::size_t label = 0; label < classes.size(); ++label)
    for (std::string& file : ImagesOf(folder / classes[label])) {
      images.files.push_back(std::move(file));
      labels.push_back(static_cast<std::int64_t>(label));
    }
  images.labels = at::tensor(labels, at::kLong);
  return images;
}

}  // namespace

ImageFolder ListImages(const Spec& spec) {
  std::error_code problem;
  if (!fs::is_directory(spec.file, problem))
    throw Error(fmt::format("{}: {}; images:FOLDER needs a folder", spec.file.string(),
                            problem ? problem.message() : "is none"));
  if (!spec.labels) return ListClasses(spec.file);
  LabeledNames labeled = ReadLabelsFile(*spec.labels);
  for (std::string& name : labeled.names) name = (spec.file / name).string();
  return {std::move(labeled.names), std::move(labeled.labels)};
}

std::string ImageFolderSha256(const ImageFolder& images, const fs::path& folder, const DataOptions& options) {
  files::Sha256 sum;
  sum.Add(fmt::format("{} {} {}\n", options.resize, options.crop, options.interpolation));
  const at::Tensor labels = images.labels.to(at::kDouble);
  const double* label = labels.const_data_ptr<double>();
  for (const std::string& file : images.files) {
    std::error_code missing;
    const std::uintmax_t size = fs::file_size(file, missing);
    sum.Add(fmt::format("{}\n{}\n{}\n", file.substr(folder.string().size()), missing ? 0 : size, *label++));
  }
  return sum.Hex();
}

}  // namespace bitplan::data
