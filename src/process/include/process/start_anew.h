#pragma once

namespace bitplan::process {

/// Starts the program anew, once, with OMP_WAIT_POLICY=PASSIVE in its environment, unless that (`environment`, as main
/// gets it) says already how threads wait, or the program cannot be started: only then it returns. It needs nothing
/// that is set up before main, so that it can be called before the libraries' constructors are (.preinit_array): those
/// of LibTorch take longer than a short command. On other systems than Linux it does nothing.
void StartAnew(char** arguments, char** environment);

}  // namespace bitplan::process
