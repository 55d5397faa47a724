"""What callgrind wrote of one thread: instructions and system calls, in all, by function and below a function.

The format is callgrind's own (valgrind's manual, "Callgrind Format Specification"), written without compression. What it comes to here:
ob=, fl= and fn= say the program or library, the file and the function that follows; fi= and fe= (what was inlined) say nothing about
that. A line of numbers is a line of source, instructions and, where there were any, system calls. calls= makes the next such line what
calls from there cost in all, of the function in cfn=, in cob= unless in the same library.
"""
import collections
import dataclasses

# Of these a caller is charged what they cost it: nobody wants to know where memchr is, but who calls it.
_LIBRARIES = ("/libc.so.6", "/libstdc++.so.6", "/libm.so.6")


@dataclasses.dataclass(frozen=True)
class Function:
    library: str
    file: str
    name: str

    @property
    def of_the_system(self):
        return any(library in self.library for library in _LIBRARIES)


class Profile:
    def __init__(self, path):
        self.instructions = 0
        self.system_calls = 0               # but looking at the clock, which is one only under valgrind
        self.clock_reads = 0
        self.own = collections.Counter()    # Function: its instructions, with what it called of the system's libraries
        self.below = collections.Counter()  # name: instructions of it and all that it called
        self.calls = collections.Counter()  # name: how often it was called
        with open(path, encoding="utf-8", errors="replace") as text:
            self._read(text)

    def _read(self, text):
        library = file = callee = callee_library = ""
        function = Function("", "", "")
        called = 0
        for line in text:
            if line[0].isdigit():
                numbers = [int(number) for number in line.split()[1:]] + [0, 0]
                if called:
                    self._add_call(function, callee, callee_library, called, numbers[0])
                    called, callee_library = 0, library
                else:
                    self._add(function, numbers[0], numbers[1])
                continue
            key, _, value = line.rstrip("\n").partition("=")
            if key == "ob":
                library = callee_library = value
            elif key == "fl":
                file = value
            elif key == "fn":
                function, callee_library = Function(library, file, value), library
            elif key == "cob":
                callee_library = value
            elif key == "cfn":
                callee = value
            elif key == "calls":
                called = int(value.split()[0])

    def _add(self, function, instructions, system_calls):
        self.instructions += instructions
        if not function.of_the_system:
            self.own[function] += instructions
        if function.name.startswith("clock_gettime"):
            self.clock_reads += system_calls
        else:
            self.system_calls += system_calls

    def _add_call(self, caller, callee, callee_library, times, instructions):
        self.below[callee] += instructions
        self.calls[callee] += times
        if not caller.of_the_system and Function(callee_library, "", callee).of_the_system:
            self.own[caller] += instructions
