// Keeps ALSA's own messages off the terminal. The recorder that mic() uses loads ALSA, which prints every failed
// attempt to stderr, before our error that says the same.
#pragma once

namespace parakeet {

// Does nothing if ALSA is not loaded in this process.
void silenceAlsa();

}  // namespace parakeet
