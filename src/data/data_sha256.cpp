#include "data_sha256.h"

#include "bitplan/files.h"
#include "files/sha256.h"

namespace bitplan::data {

std::string DataSha256(const Spec& spec) {
  const std::string file = FileSha256(spec.file);
  if (!spec.labels) return file;
  files::Sha256 both;
  both.Add(file);
  both.Add(FileSha256(*spec.labels));
  return both.Hex();
}

}  // namespace bitplan::data
