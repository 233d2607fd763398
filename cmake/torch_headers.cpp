// Carries the precompiled LibTorch header; see BitplanRoom.cmake.
