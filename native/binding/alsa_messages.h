// Keeps ALSA's own complaints off the terminal. The recorder that mic() uses loads ALSA, which prints to stderr
// whatever it tried and could not do, before the error that says the same in our words.
#pragma once

namespace parakeet {

// Does nothing where ALSA is not loaded in this process.
void silenceAlsa();

}  // namespace parakeet
