// A property that fails on a mutant has done its work: no search for the smallest counterexample.
import fc from 'fast-check';

fc.configureGlobal({ endOnFailure: true });
