#pragma once

namespace bitplan {

/// Lets the process keep what it frees, up to 512 MiB, for its next allocations, tensors below 64 MiB among them. As a
/// rule the C library hands such memory back after each pass, and the system clears it page by page for the next one:
/// up to half of the time of a forward. Concerns the whole process, so it is the application's to call, once, when it
/// begins. Does nothing where the C library is not glibc.
void KeepFreedMemory();

}  // namespace bitplan
