"""The table, the plots and the verdict on the targets of bench/lean.py."""
import json
import re
from datetime import UTC, datetime

from plot import Plot
from support.processes import ROOT

RESULTS = ROOT / "build/bench/lean.json"
KEPT = ROOT / "docs/results/lean.json"
PLOTS = ROOT / "docs/plots"
PAGE = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- made by bench/run lean: begin -->", "<!-- made by bench/run lean: end -->"


def _us(row):
    return f"{row['median']:.0f} ({row['least']:.0f}–{row['most']:.0f})"


def _ratio(row):
    return f"{row['median']:.2f} ({row['least']:.2f}–{row['most']:.2f})"


def targets(results):
    """(what, figure, target, whether it is met)"""
    out = []

    def at_most(what, value, limit, text):
        out.append((what, text.format(value), f"≤ {limit:g}", value <= limit))

    plain, tls = results.get("plain"), results.get("tls")
    if plain:
        for rate in ("2000", "5000"):
            row = plain[rate]
            at_most(f"plain HTTP, whole producer / bare libcurl multi, both {rate} checks/s",
                    row["ratio_multi"]["median"], 1.5, "{:.2f}")
            at_most(f"plain HTTP, whole producer / raw epoll client, both {rate} checks/s",
                    row["ratio_raw"]["median"], 2.3, "{:.2f}")
        for way, text in (("flat_out", "eight at a time"), ("one_by_one", "one at a time")):
            gain = plain["blackbox"][way]["median"] / plain["5000"]["producer"]["median"]
            out.append((f"plain HTTP, blackbox_exporter asked {text} / producer at 5000 checks/s", f"{gain:.1f}", "≥ 6",
                        gain >= 6))
    if tls:
        row = next(value for key, value in tls.items() if key.isdigit())
        at_most("TLS 1.3, whole producer / bare OpenSSL client, same pace", row["ratio_raw"]["median"], 1.35, "{:.2f}")
    scale = results.get("scale")
    if scale:
        at_most("10,000 sites at 10 s: p99 lateness, ms", scale["10 k"]["late_p99_ms"], 50, "{:.1f}")
        at_most("10,000 sites at 10 s: missed", scale["10 k"]["missed"], 0, "{}")
        at_most("100,000 sites at 60 s: missed", scale["100 k"]["missed"], 0, "{}")
        at_most("1,000,000 sites: CPU until ready, s", scale["1 M"]["load_cpu_s"], 10, "{:.1f}")
        at_most("1,000,000 sites: resident, MiB", scale["1 M"]["resident_mib"], 1024, "{:.0f}")
    if results.get("hostile"):
        at_most("100 hostile among 10,000: shift of the others' p99 lateness, ms",
                results["hostile"]["p99_shift_ms"]["median"], 10, "{:.1f}")
    if results.get("threads"):
        gain = results["threads"]["gain"]["median"]
        out.append(("two threads / one, checks a second", f"{gain:.2f}", "≥ 1.7", gain >= 1.7))
    return out


def _costs(name, part):
    rates = [key for key in part if key.isdigit()]
    yield (f"| {name}: µs of CPU a check | " + " | ".join(f"{rate} a second" for rate in rates)
           + " | as fast as it can |")
    yield "| --- |" + " --- |" * (len(rates) + 1)
    raw = "bare OpenSSL client" if name.startswith("TLS") else "raw epoll client"
    yield "| **whole producer** | " + " | ".join(_us(part[rate]["producer"]) for rate in rates) + " | |"
    for key, text in (("multi", "bare libcurl multi client"), ("raw", raw)):
        yield (f"| {text} | " + " | ".join(_us(part[rate][key]) for rate in rates)
               + f" | {_us(part['flat_out'][key])} |")
    asked = part["blackbox"]
    yield (f"| blackbox_exporter | {_us(asked['paced'])} |{' |' * (len(rates) - 1)} {_us(asked['flat_out'])}; "
           f"one at a time {_us(asked['one_by_one'])} |")
    for key, text in (("multi", "producer / libcurl multi"), ("raw", f"producer / {raw}")):
        yield f"| **{text}** | " + " | ".join(_ratio(part[rate][f"ratio_{key}"]) for rate in rates) + " | |"
    threads = part[rates[0]]["threads_us"]
    yield (f"| its threads at {rates[0]} a second | " + ", ".join(
        f"{one} {us:.1f}" for one, us in sorted(threads.items(), key=lambda item: -item[1]) if us >= 0.5)
           + " |" * len(rates) + " |")
    yield ""


def _scales(scale):
    yield ("| sites | every | checks/s | CPU a check | late p50, p99, most | missed | CPU until ready | resident "
           "| a site |")
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    least = min(scale.values(), key=lambda row: row["sites"])
    for row in scale.values():
        more = row["sites"] - least["sites"]
        a_site = f"{(row['resident_mib'] - least['resident_mib']) * 1024 * 1024 / more:.0f} B" if more else ""
        yield (f"| {row['sites']:,} | {row['interval_s']} s | {row['rate']:.0f} | {row['us']:.0f} µs | "
               f"{row['late_p50_ms']:.1f}, {row['late_p99_ms']:.1f}, {row['late_max_ms']:.1f} ms | {row['missed']} | "
               f"{row['load_cpu_s']:.2f} s | {row['resident_mib']:.0f} MiB | {a_site} |")
    yield ""


def _table(results):
    yield BEGIN
    yield ""
    machine = results["machine"]
    yield (f"Measured {results['at']} on {machine['cores']} cores of an {machine['processor']}, Linux "
           f"{machine['kernel']}, load {results['load']:.1f} at the end. Medians of {results['rounds']} rounds, "
           f"least and most in parentheses. The raw figures are in [results/lean.json](results/lean.json).")
    yield ""
    yield "| target | figure | is to be | |"
    yield "| --- | --- | --- | --- |"
    for what, figure, limit, is_met in targets(results):
        yield f"| {what} | **{figure}** | {limit} | {'met' if is_met else '**missed**'} |"
    yield ""
    if "plain" in results:
        yield from _costs("Plain HTTP, a page of 2 KiB with a pattern", results["plain"])
    if "tls" in results:
        yield from _costs(f"TLS 1.3, {results['authorities']} authorities", results["tls"])
    if "scale" in results:
        yield from _scales(results["scale"])
        yield "![CPU by checks a second](plots/cpu.svg)"
        yield ""
        yield "![Memory by sites](plots/memory.svg)"
        yield ""
    if "hostile" in results:
        one = results["hostile"]["rounds"][-1]
        yield (f"100 hostile sites ({', '.join(results['hostile']['behaviours'])}) among 10,000 at 10 s: the others' "
               f"p99 lateness {one['with']['late_p99_ms']:.1f} ms, without them {one['without']['late_p99_ms']:.1f} "
               f"ms; {one['with']['missed']} of the others' checks missed.")
        yield ""
    if "threads" in results:
        one, two = results["threads"]["1"], results["threads"]["2"]
        rate, us, cores = ([way[name]["median"] for way in (one, two)] for name in ("rate", "us", "cores"))
        yield (f"`--threads 1` {rate[0]:.0f} checks/s at {us[0]:.0f} µs each on {cores[0]:.2f} cores, `--threads 2` "
               f"{rate[1]:.0f} at {us[1]:.0f} on {cores[1]:.2f}: checks that cost the prober much (sixty patterns) and "
               f"the servers little. nginx and the broker, on the same two cores, leave no more to the second thread.")
        yield ""
    yield END


def _plots(results):
    PLOTS.mkdir(parents=True, exist_ok=True)
    scale = list(results.get("scale", {}).values())
    if results.get("growth"):
        lines = {"10,000 sites or fewer, cores": [(one["rate"], one["cores"]) for one in results["growth"]]}
        (PLOTS / "cpu.svg").write_text(Plot("CPU by checks a second", "checks a second", "cores", lines).svg())
    if scale:
        lines = {"resident MiB": [(one["sites"], one["resident_mib"]) for one in scale],
                 "µs of CPU a check": [(one["sites"], one["us"]) for one in scale]}
        (PLOTS / "memory.svg").write_text(
            Plot("Memory, and CPU a check, by sites", "sites", "MiB; µs", lines).svg())


def publish(results, is_whole):
    """Print the table; a whole run also writes it into docs/benchmarks.md, with plots and raw figures."""
    results["at"] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    table = "\n".join(_table(results))
    print(table)
    if not is_whole:
        return
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(results, indent=1) + "\n")
    _plots(results)
    page = PAGE.read_text()
    PAGE.write_text(re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda _: table, page, flags=re.S))
