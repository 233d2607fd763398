#include "cli/tool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace bitplan::test {

namespace fs = std::filesystem;

namespace {

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

ToolRun RunTool(const fs::path& folder, const std::string& arguments, const std::string& under) {
  const fs::path out = fs::path(folder.string() + ".out"), err = fs::path(folder.string() + ".err");
  const std::string command = "cd '" + folder.string() + "' && " + under + " '" BITPLAN_TOOL "' " + arguments + " >'" +
                              out.string() + "' 2>'" + err.string() + "' </dev/null";
  const int status = std::system(command.c_str());
  ToolRun run{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), ReadAll(out), ReadAll(err)};
  fs::remove(out);
  fs::remove(err);
  return run;
}

std::vector<std::string> Commands() {
  const std::string help = Workspace().Run("--help").out;
  static const std::regex row("\n  ([a-z]+) ");
  std::vector<std::string> names;
  for (std::sregex_iterator found(help.begin(), help.end(), row), none; found != none; ++found)
    names.push_back((*found)[1]);
  return names;
}

Workspace::Workspace() {
  std::string name = (fs::temp_directory_path() / "bitplan-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
  for (const char* file : {"resnet20.pt", "train.bin", "test.bin"})
    fs::create_symlink(fs::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / file, path_ / file);
}

Workspace::~Workspace() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Workspace::Write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path_ / name, std::ios::binary) << bytes;
}

std::string Workspace::Read(const std::string& name) const { return ReadAll(path_ / name); }

std::size_t Workspace::Files() const {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::recursive_directory_iterator(path_)) ++count;
  return count;
}

}  // namespace bitplan::test
