#!/usr/bin/env python3
"""Translates the kernels of a PTX text to C, and compiles them: what fakecuda.c's FAKECUDA_COMPUTE runs.

    ptx_to_c.py KERNEL.ptx KERNEL.so [--c KERNEL.c]

Each kernel becomes a function of its name that runs its whole grid (ptx.h). It knows the instructions that CubeCL's
compiler, LLVM's NVPTX back end, writes for takd, by NVIDIA's PTX ISA 8.7; another one is an error that names it.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REGISTER = re.compile(r"%(?:rs|rd|r|p|SPL|SP)\d*\b")
SPECIAL = re.compile(r"%(tid|ntid|ctaid|nctaid)\.([xyz])")
TYPES = {"pred": "unsigned", "b16": "uint16_t", "b32": "uint32_t", "b64": "uint64_t"}
UNSIGNED = {8: "uint8_t", 16: "uint16_t", 32: "uint32_t", 64: "uint64_t"}
ORDERED = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "lo": "<", "ls": "<=", "hi": ">", "hs": ">="}
# Comparisons that hold if an operand is no number: the opposite of one that does not.
UNORDERED = {"neu": "==", "ltu": ">=", "leu": ">", "gtu": "<=", "geu": "<"}


class Unknown(Exception):
    """An instruction that is not known here."""


class Kernel:
    """One `.entry`: its registers, parameters and statements."""

    def __init__(self, name, header, body, shared):
        self.name = name
        self.params = re.findall(r"\.param\b[^,()]*?(\w+_param_\d+)", header)
        self.shared = shared
        self.registers, self.tables, self.local = {}, {}, 0
        self.labels, self.code = {}, []
        body = re.sub(r"//[^\n]*", "", body)
        for statement in re.findall(r"\s*(\$\w+:|[^;]*?;)", body.replace("{\n", "\n", 1)):
            self.read(statement.strip().rstrip(";").strip())

    def read(self, text):
        if text.endswith(":"):
            self.last = text[:-1]
            self.labels[self.last] = len(self.code)
        elif text.startswith(".branchtargets"):
            del self.labels[self.last]
            self.tables[self.last] = re.findall(r"\$\w+", text)
        elif text.startswith(".pragma"):
            pass
        elif declared := re.match(r"\.reg\s+\.(\w+)\s+%(\w+)(?:<(\d+)>)?", text):
            kind, name, count = declared.groups()
            for n in range(int(count)) if count else [""]:
                self.registers[f"%{name}{n}"] = TYPES[kind]
        elif depot := re.match(r"\.local\s+\.align\s+\d+\s+\.b8\s+\w+\[(\d+)\]", text):
            self.local = int(depot[1])
        elif text.startswith("."):
            raise Unknown(text)
        else:
            guard = re.match(r"@(!?)(%p\d+)\s+", text)
            parts = re.match(r"([\w.]+)\s*(.*)", text[guard.end() if guard else 0:], re.DOTALL)
            self.code.append((guard and (guard[1] == "!", guard[2]), parts[1], operands(parts[2])))


def operands(text):
    """`{%r1, %r2}, [%rd1+4], 8` as lists and texts."""
    found = re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+", text)
    return [[part.strip() for part in one[1:-1].split(",")] if one[0] == "{" else one for one in found]


def flat(operand):
    return operand if isinstance(operand, list) else [operand]


def written(operation, arguments):
    """Registers that an instruction sets."""
    name = operation.split(".")[0]
    if name in ("st", "bra", "brx", "bar", "ret", "red") or operation.startswith("wmma.store"):
        return []
    return [one for one in flat(arguments[0]) if one == "_" or one.startswith("%")]


def read_by(guard, operation, arguments):
    """Registers that an instruction reads."""
    skipped = 1 if written(operation, arguments) else 0
    text = " ".join(part for one in arguments[skipped:] for part in flat(one))
    return REGISTER.findall(text) + ([guard[1]] if guard else [])


def waits(operation):
    return operation.startswith(("bar.", "wmma.mma"))


def live(kernel):
    """The registers that are read after each instruction before they are set: as bits by their order."""
    bit = {name: 1 << n for n, name in enumerate(kernel.registers)}
    count = len(kernel.code)
    reads, sets, next_ones = [], [], []
    for n, (guard, operation, arguments) in enumerate(kernel.code):
        reads.append(sum({bit[name] for name in read_by(guard, operation, arguments) if name in bit}))
        sets.append(0 if guard else sum({bit[name] for name in written(operation, arguments) if name in bit}))
        follows = [n + 1]
        if operation.startswith("bra"):
            follows = [kernel.labels[arguments[0]]] + ([n + 1] if guard else [])
        elif operation.startswith("brx"):
            follows = [kernel.labels[label] for label in kernel.tables[arguments[1]]]
        elif operation == "ret":
            follows = [n + 1] if guard else []
        next_ones.append([follow for follow in follows if follow < count])
    before, after, changed = [0] * count, [0] * count, True
    while changed:
        changed = False
        for n in reversed(range(count)):
            out = 0
            for follow in next_ones[n]:
                out |= before[follow]
            new = reads[n] | (out & ~sets[n])
            changed |= new != before[n]
            before[n], after[n] = new, out
    return [[name for name in kernel.registers if bit[name] & out] for out in after]


class Translation:
    """C of one kernel."""

    def __init__(self, kernel):
        self.kernel, self.lines, self.resumes = kernel, [], 0
        self.saved = set()

    def value(self, operand):
        """An operand's bits."""
        if operand in self.kernel.registers:
            return operand[1:]
        if special := SPECIAL.fullmatch(operand):
            return f"b->{special[1]}[{'xyz'.index(special[2])}]"
        if number := re.fullmatch(r"0f([0-9A-Fa-f]{8})", operand):
            return f"0x{number[1]}u"
        if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)U?", operand):
            return f"((int64_t){operand.rstrip('U')})" if "x" not in operand else f"0x{operand[2:].rstrip('U')}ull"
        if operand in self.kernel.shared:
            return "(uint64_t)b->shared"
        if re.fullmatch(r"__local_depot\d+", operand):
            return "(uint64_t)t->local"
        raise Unknown(f"the operand {operand}")

    def float(self, operand):
        return f"F({self.value(operand)})"

    def address(self, operand):
        """Of `[%rd1+4]`, `[symbol+4]`, `[param+4]`."""
        base, _, offset = operand[1:-1].partition("+")
        offset = offset.strip() or "0"
        if base in self.kernel.params:
            return f"((uint64_t)b->params[{self.kernel.params.index(base)}] + {offset})"
        return f"({self.value(base)} + ({offset}))"

    def say(self, line):
        self.lines.append(line)

    def typed(self, operand, kind):
        """As a number of a type such as `u32`, `s32`, `f32`."""
        if kind == "f32":
            return self.float(operand)
        width = int(kind[1:])
        return f"(({'int' if kind[0] == 's' else 'uint'}{width}_t){self.value(operand)})"

    def binary(self, operation, kind, one, other):
        a, b = self.typed(one, kind), self.typed(other, kind)
        width = kind[1:]
        if kind == "f32":
            sign = {"add": "+", "sub": "-", "mul": "*", "div": "/"}.get(operation)
            return f"U({a} {sign} {b})" if sign else f"U({operation}_f32({a}, {b}))"
        if operation in ("min", "max"):
            return f"({a} {'<' if operation == 'min' else '>'} {b} ? {a} : {b})"
        if operation in ("div", "rem"):
            # By zero: unspecified, and no trap.
            return f"({b} ? {a} {'/' if operation == 'div' else '%'} {b} : ({kind[0] == 's' and 'int' or 'uint'}{width}_t)-1)"
        if operation in ("shl", "shr"):
            if width == "16":
                return f"((uint32_t){self.value(other)} < 16 ? {a} {'<<' if operation == 'shl' else '>>'} {self.value(other)} : 0)"
            name = "sar" if operation == "shr" and kind[0] == "s" else operation
            return f"{name}{width}({self.value(one)}, (uint32_t){self.value(other)})"
        sign = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}[operation]
        return f"({a} {sign} {b})"

    def multiplied(self, operation, how, kind, arguments):
        one, other = (self.typed(operand, kind) for operand in arguments[1:3])
        width, sign = int(kind[1:]), "int" if kind[0] == "s" else "uint"
        if how == "wide":
            result = f"(({sign}{2 * width}_t){one} * {other})"
        elif how == "hi":
            wider = "unsigned __int128" if width == 64 else f"{sign}{2 * width}_t"
            result = f"(({wider}){one} * {other} >> {width})"
        else:
            result = f"((uint{width}_t){one} * (uint{width}_t){other})" if width > 16 else f"((uint32_t){one} * {other})"
        return result if operation == "mul" else f"({result} + {self.value(arguments[3])})"

    def converted(self, parts, operand):
        """`cvt`, by its words after the name."""
        words = ".".join(parts)
        a, bits = f"F({self.value(operand)})", self.value(operand)
        known = {
            "rzi.f32.f32": f"U(truncf({a}))", "rni.f32.f32": f"U(rintf({a}))", "rmi.f32.f32": f"U(floorf({a}))",
            "rpi.f32.f32": f"U(ceilf({a}))", "sat.f32.f32": f"U(saturated({a}))", "rna.tf32.f32": f"to_tf32({bits})",
            "rzi.s32.f32": f"to_s32({a})", "rni.s32.f32": f"to_s32(rintf({a}))", "rmi.s32.f32": f"to_s32(floorf({a}))",
            "rzi.u32.f32": f"to_u32({a})", "rn.bf16.f32": f"to_bf16({bits})",
        }
        if words in known:
            return known[words]
        if len(parts) == 3 and parts[:2] == ["rn", "f32"]:
            return f"U((float){self.typed(operand, parts[2])})"
        if len(parts) == 2 and all(re.fullmatch(r"[us]\d+", part) for part in parts):
            return f"(uint{parts[0][1:]}_t){self.typed(operand, parts[1])}"
        raise Unknown(f"cvt.{words}")

    def memory(self, name, parts, arguments):
        """`ld` and `st`."""
        space = parts[0]
        width = int(parts[-1][1:])
        vector, place = (arguments[0], arguments[1]) if name == "ld" else (arguments[1], arguments[0])
        vector = flat(vector)
        self.say(f"{{ uint64_t at = {self.address(place)};")
        if space == "shared":
            self.say(f"within(b, at, {width // 8 * len(vector)}, NAME);")
        for n, one in enumerate(vector):
            if name == "st":
                self.say(f"STORE({UNSIGNED[width]}, at + {n * width // 8}, {self.value(one)});")
            elif one != "_":
                self.say(f"{one[1:]} = LOAD({UNSIGNED[width]}, at + {n * width // 8});")
        self.say("}")

    def wait(self, why, after):
        """Leaves what is read later in the thread's state and returns."""
        self.resumes += 1
        self.saved.update(after)
        for name in after:
            self.say(f"t->{name[1:]} = {name[1:]};")
        self.say(f"t->resume = {self.resumes}; return {why};")
        self.say(f"resume_{self.resumes}:")
        for name in after:
            self.say(f"{name[1:]} = t->{name[1:]};")

    def tensor(self, operation, arguments, after):
        """`wmma` on 16×16×8 of tf32 and 16×16×16 of bf16."""
        parts = operation.split(".")
        shape = next((part for part in parts if re.fullmatch("m16n16k(8|16)", part)), None)
        if shape is None:
            raise Unknown(operation)
        deep, lane = int(shape[7:]), "b->thread % 32"
        if parts[1] == "mma":
            return self.multiply(deep, "bf16" in parts, arguments, after)
        packed = 2 if parts[-1] == "bf16" else 1
        columns = deep if parts[2] == "a" else 16
        registers, place = (arguments[1], arguments[0]) if parts[1] == "store" else arguments[:2]
        each = len(registers) * packed
        kind, stride = UNSIGNED[32 // packed], self.value(arguments[2])
        for n, one in enumerate(registers):
            for half in range(packed):
                at = f"fragment({self.address(place)}, {4 // packed}, {lane}, {n * packed + half}, {each}, {columns}, "
                at += f"{int('row' in parts)}, (uint32_t){stride}, NAME)"
                at = f"within(b, {at}, {4 // packed}, NAME)" if "shared" in parts else at
                if parts[1] == "store":
                    self.say(f"STORE(uint32_t, {at}, {self.value(one)});")
                else:
                    old = f"{one[1:]} | " if half else ""
                    self.say(f"{one[1:]} = {old}(uint32_t)LOAD({kind}, {at}) << {16 * half};")

    def multiply(self, deep, is_bf16, arguments, after):
        """D = A × B + C of a warp, whose lanes see each other's operands after a wait."""
        d, a, b, c = arguments
        for n in range(4):
            self.say(f"b->lanes[b->thread][t->turn][{n}] = {self.value(a[n])};")
            self.say(f"b->lanes[b->thread][t->turn][{n + 4}] = {self.value(b[n])};")
        # What the sum starts from is read after the wait; what is set need not be kept.
        carried = [one for one in c if one in self.kernel.registers]
        self.wait("AT_WARP", sorted({*after, *carried} - (set(d) - set(carried))))
        self.say("{ uint32_t product_[8];")
        for n in range(8):
            self.say(f"product_[{n}] = U(product(b, t->turn, {deep}, {int(is_bf16)}, {n}, {self.float(c[n])}));")
        for n in range(8):
            self.say(f"{d[n][1:]} = product_[{n}];")
        self.say("t->turn ^= 1; }")

    def expression(self, operation, arguments):
        """What an instruction with one result gives."""
        name, *parts = operation.split(".")
        kind = parts[-1] if parts else ""
        value = self.value
        if name in ("mov", "cvta"):
            return value(arguments[1])
        if name == "fma" and kind == "f32" and parts[0] in ("rn", "rm"):
            call = "fmaf" if parts[0] == "rn" else "fma_down"
            return f"U({call}({', '.join(map(self.float, arguments[1:4]))}))"
        if name in ("mul", "mad") and parts[0] in ("wide", "hi", "lo"):
            return self.multiplied(name, parts[0], kind, arguments)
        if name == "selp":
            return f"({value(arguments[3])} ? {value(arguments[1])} : {value(arguments[2])})"
        if name == "setp":
            return self.compared(parts, arguments)
        if name == "cvt":
            return self.converted(parts, arguments[1])
        if name == "prmt" and kind == "b32":
            return f"prmt({value(arguments[1])}, {value(arguments[2])}, (uint32_t){value(arguments[3])})"
        if name == "bfe" and kind == "u32":
            return f"(shr32({value(arguments[1])}, {value(arguments[2])}) & (shl32(1, {value(arguments[3])}) - 1))"
        if name in ("and", "or", "xor") and kind == "pred":
            sign = {"and": "&", "or": "|", "xor": "^"}[name]
            return f"({value(arguments[1])} {sign} {value(arguments[2])})"
        if name == "not":
            return f"!{value(arguments[1])}" if kind == "pred" else f"~{value(arguments[1])}"
        if len(arguments) == 3 and re.fullmatch(r"(f32|[usb](16|32|64))", kind):
            if name in ("min", "max") and parts == ["NaN", "f32"]:
                return f"U({name}_nan({self.float(arguments[1])}, {self.float(arguments[2])}))"
            if parts[:-1] not in ([], ["rn"], ["full"], ["approx"]) or name not in (
                    "add", "sub", "mul", "div", "rem", "min", "max", "and", "or", "xor", "shl", "shr"):
                raise Unknown(operation)
            return self.binary(name, kind.replace("b", "u"), arguments[1], arguments[2])
        return self.unary(operation, arguments)

    def unary(self, operation, arguments):
        a = arguments[1]
        known = {
            "neg.f32": f"({self.value(a)} ^ 0x80000000u)", "abs.f32": f"({self.value(a)} & 0x7fffffffu)",
            "neg.s32": f"(0u - {self.value(a)})", "sqrt.rn.f32": f"U(sqrtf({self.float(a)}))",
            "rcp.rn.f32": f"U(1 / {self.float(a)})", "rcp.approx.ftz.f32": f"U(flushed(1 / flushed({self.float(a)})))",
            "ex2.approx.ftz.f32": f"U(flushed(exp2f(flushed({self.float(a)}))))",
            "lg2.approx.ftz.f32": f"U(log2f(flushed({self.float(a)})))",
        }
        if operation not in known:
            raise Unknown(operation)
        return known[operation]

    def compared(self, parts, arguments):
        how, kind = parts
        a, b = (self.typed(one, kind.replace("b", "u")) for one in arguments[1:3])
        if how in ("num", "nan"):
            return f"({'!' if how == 'num' else ''}(isnan({a}) || isnan({b})))"
        if how in UNORDERED and kind == "f32":
            return f"(!({a} {UNORDERED[how]} {b}))"
        if how == "ne" and kind == "f32":
            return f"({a} < {b} || {a} > {b})"
        if how not in ORDERED:
            raise Unknown(f"setp.{how}.{kind}")
        return f"({a} {ORDERED[how]} {b})"

    def instruction(self, operation, arguments, after):
        name, *parts = operation.split(".")
        if name == "bra":
            self.say(f"goto L{arguments[0][1:]};")
        elif name == "brx":
            self.say(f"switch ({self.value(arguments[0])}) {{")
            for n, label in enumerate(self.kernel.tables[arguments[1]]):
                self.say(f"case {n}: goto L{label[1:]};")
            self.say('default: wrong(NAME, "a branch beyond its table"); }')
        elif name == "ret":
            self.say("return ENDED;")
        elif name in ("ld", "st"):
            self.memory(name, parts, arguments)
        elif name == "wmma":
            self.tensor(operation, arguments, after)
        elif operation == "bar.sync" and arguments == ["0"]:
            self.wait("AT_BARRIER", after)
        elif operation == "bar.warp.sync":
            self.wait("AT_WARP", after)
        elif name == "atom" and parts[-3:] == ["global", "add", "f32"]:
            self.say(f"{{ uint64_t at = {self.address(arguments[1])}; uint32_t old = LOAD(uint32_t, at);")
            self.say(f"STORE(uint32_t, at, U(F(old) + {self.float(arguments[2])}));")
            self.say(f"{arguments[0][1:]} = old; }}")
        elif name == "mov" and isinstance(arguments[0], list):
            # Unpacked, the lowest bits first.
            width = 8 * {"b32": 4, "b64": 8}[parts[0]] // len(arguments[0])
            for n, one in enumerate(arguments[0]):
                if one != "_":
                    self.say(f"{one[1:]} = (uint{width}_t)({self.value(arguments[1])} >> {n * width});")
        elif name == "mov" and isinstance(arguments[1], list):
            width = 8 * {"b32": 4, "b64": 8}[parts[0]] // len(arguments[1])
            kind = UNSIGNED[width * len(arguments[1])]
            packed = " | ".join(f"({kind}){self.value(one)} << {n * width}" for n, one in enumerate(arguments[1]))
            self.say(f"{arguments[0][1:]} = {packed};")
        else:
            result = self.expression(operation, arguments)
            if self.kernel.registers[arguments[0]] == "unsigned":
                result = f"({result}) != 0"
            self.say(f"{arguments[0][1:]} = {result};")

    def text(self):
        kernel = self.kernel
        after = live(kernel)
        at = {}
        for label, n in kernel.labels.items():
            at.setdefault(n, []).append(label)
        for n, (guard, operation, arguments) in enumerate(kernel.code):
            for label in at.get(n, []):
                self.say(f"L{label[1:]}:;")
            if guard and waits(operation):
                raise Unknown(f"{operation} under a predicate")
            if guard:
                self.say(f"if ({'!' if guard[0] else ''}{guard[1][1:]}) {{")
            self.instruction(operation, arguments, after[n])
            if guard:
                self.say("}")
        state = [f"{kernel.registers[name]} {name[1:]};" for name in kernel.registers if name in self.saved]
        resumes = " ".join(f"case {n + 1}: goto resume_{n + 1};" for n in range(self.resumes))
        registers = [f"{kind} {name[1:]} = 0;" for name, kind in kernel.registers.items()]
        name = kernel.name
        return "\n".join([
            f'#define NAME "{name}"',
            f"struct state_{name} {{ int resume, turn; {' '.join(state)} char local[{kernel.local or 1}] __attribute__((aligned(16))); }};",
            f"static int run_{name}(void *state, const Block *b) {{",
            f"struct state_{name} *t = state;",
            *registers,
            f"switch (t->resume) {{ {resumes} }}" if self.resumes else "(void)t;",
            *self.lines,
            "return ENDED;",
            "}",
            f"void {name}(const unsigned grid[3], const unsigned block[3], unsigned shared, void **params) {{",
            f"execute(NAME, grid, block, shared, params, sizeof(struct state_{name}), run_{name});",
            "}",
            "#undef NAME",
            ""])


def kernels(text):
    shared = set(re.findall(r"\.extern\s+\.shared\b[^;]*?(\w+)\[\]", text))
    for entry in re.finditer(r"\.entry\s+(\w+)\((.*?)\)[^{]*\{(.*?)\n\}", text, re.DOTALL):
        yield Kernel(entry[1], entry[2], entry[3], shared)


def translate(text):
    return "\n".join(['#include "ptx.h"', "", *(Translation(kernel).text() for kernel in kernels(text))])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ptx", type=pathlib.Path)
    parser.add_argument("so", type=pathlib.Path)
    parser.add_argument("--c", type=pathlib.Path)
    options = parser.parse_args()
    try:
        c = translate(options.ptx.read_text())
    except Unknown as what:
        sys.exit(f"ptx_to_c: {options.ptx.name}: {what} is not known here")
    if options.c:
        options.c.write_text(c)
    command = ["cc", "-O1", "-march=native", "-ffp-contract=off", "-fno-strict-aliasing", "-w", "-shared", "-fPIC", f"-I{HERE}", "-xc", "-", "-lm"]
    with tempfile.TemporaryDirectory(dir=options.so.parent) as folder:
        made = pathlib.Path(folder) / "kernel.so"
        done = subprocess.run([*command, "-o", made], input=c, text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"ptx_to_c: {options.ptx.name}: {done.stderr[:2000]}")
        made.rename(options.so)
