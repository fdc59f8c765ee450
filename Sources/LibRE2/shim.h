/* RE2 is a library of C++: CRE2 includes its headers. This module only tells the package manager where they are, and the linker what to link. */
