"""Times the expressions read from standard input with cel-expr-python and cel-python.

Input: JSON {"variables": {name: type}, "data": {...}, "expressions": [...]}. Output: a line for each expression, with
nanoseconds to compile and to evaluate, of cel-expr-python and then of cel-python; "-" where a package refuses it.
"""

import json
import sys
import time


def nanoseconds(body, runs, rounds=5):
    best = None
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(runs):
            body()
        elapsed = (time.perf_counter_ns() - start) / runs
        best = elapsed if best is None else min(best, elapsed)
    return best


def google(variables, data):
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_strings

    environment = cel.NewEnv(
        variables={name: cel.Type(kind) for name, kind in variables.items()}, extensions=[ext_strings.ExtStrings()])
    activation = environment.Activation(data)

    def measure(source):
        expression = environment.compile(source)
        assert expression.eval(activation).value() is True
        return (nanoseconds(lambda: environment.compile(source), 50),
                nanoseconds(lambda: expression.eval(activation), 2000))

    return measure


def pure(variables, data):
    import celpy

    activation = {name: celpy.json_to_cel(value) for name, value in data.items()}

    def measure(source):
        environment = celpy.Environment()
        program = environment.program(environment.compile(source))
        assert bool(program.evaluate(activation)) is True
        return (nanoseconds(lambda: environment.program(environment.compile(source)), 3, 2),
                nanoseconds(lambda: program.evaluate(activation), 30, 3))

    return measure


def main():
    task = json.load(sys.stdin)
    packages = [google(task["variables"], task["data"]), pure(task["variables"], task["data"])]
    for source in task["expressions"]:
        cells = []
        for measure in packages:
            try:
                cells += [str(round(cell)) for cell in measure(source)]
            except Exception as error:  # A package that refuses an expression is shown as such.
                print(f"{source}: {error!r}"[:200], file=sys.stderr)
                cells += ["-", "-"]
        print("\t".join(cells), flush=True)


main()
