#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bitplan::test {

/// What one run of the tool gave.
struct ToolRun {
  int code = -1;
  std::string out, err;
};

/// Runs the tool in `folder` with `arguments`, as a shell would read them; `under` stands before it, as in "timeout 2".
ToolRun RunTool(const std::filesystem::path& folder, const std::string& arguments, const std::string& under = "");

/// The names of all commands, as --help lists them.
std::vector<std::string> Commands();

/// A folder of its own with the bundled model and images in it; gone with the value.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  ToolRun Run(const std::string& arguments) const { return RunTool(path_, arguments); }
  void Write(const std::string& name, const std::string& bytes) const;
  std::string Read(const std::string& name) const;
  std::size_t Files() const;  ///< how many there are, in all folders

 private:
  std::filesystem::path path_;
};

}  // namespace bitplan::test
