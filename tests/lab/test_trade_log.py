"""The convergence script's trade_log.csv: columns, bad lines, and what it left out, to the cent."""

from decimal import Decimal
from pathlib import Path

import pytest

from basisdesk.app.library_commands import TRADES_SAID
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.lab.pages import write_study
from basisdesk.lab.trade_log import COLUMNS, read_trade_log
from basisdesk.lab.trade_log_study import import_trade_log

D = Decimal
SPOT_FEE, PERP_FEE = D("0.001"), D("0.00055")
BP2 = D("0.0002")


def trip(spot, perp, qty="1", side=1, at="09:14:22", to="09:15:10", note="reason=TIME_STOP"):
    """Both lines as the script writes them, at its own fills: mids and 2 bp. spot, perp: mids."""
    lines = []
    fills = [
        (D(spot[n]) * (1 + way * side * BP2), D(perp[n]) * (1 - way * side * BP2))
        for n, way in ((0, 1), (1, -1))
    ]
    size, cash = D(qty), D(1_000)
    for n, (action, clock) in enumerate((("ENTER", at), ("EXIT", to))):
        s, p = fills[n]
        fees = size * (s * SPOT_FEE + p * PERP_FEE)
        gain = -side * size * (p - fills[0][1]) if n else D(0)
        margin = size * fills[0][1]
        cash += -fees + (side * size * s + margin + gain if n else -size * s - margin)
        basis = (D(perp[n]) - D(spot[n])) / D(spot[n]) * 100
        held = -side * size if not n else 0
        lines.append(
            f"2026-02-03 {clock},{action},{basis:.6f},{s:.8f},{p:.8f},{size:.8f},{gain:.8f},"
            f"{fees:.8f},{cash:.8f},0,{held:.8f},{fills[0][1]:.8f},{margin:.8f},"
            + (note if n else "trade_dir=X")
        )
    return lines


HEAD = ",".join(COLUMNS)


def written(tmp_path, *lines, head=HEAD):
    path = tmp_path / "trade_log.csv"
    path.write_text("\n".join([head, *lines, ""]))
    return path


def bridge(study):
    return {row["line"]: D(row["usdt"]) for row in study["bridge"]}


def test_the_claim_is_bridged_to_what_is_left_line_by_line(tmp_path):
    path = written(tmp_path, *trip(("100", "103"), ("101", "103.5")))
    study = import_trade_log(path, Settings())
    lines = bridge(study)
    assert lines["Claimed"] < 0  # the perpetual's leg of a rally: a large loss of a hedged trade
    assert lines["Spot leg"] > 2
    parts = sum(lines.get(n, D(0)) for n in ("Claimed", "Spot leg", "Perpetual's leg",
                                             "Fees it logged"))  # fmt: skip
    assert parts == lines["Net at its own prices"]
    after = lines["Net at its own prices"] + lines["Fees at the desk's tier"]
    assert after + lines["Spot fee taken in coins"] == lines["What is left"]
    assert abs(lines["Fees at the desk's tier"]) < D("0.000001")  # the same tier
    (one,) = study["trades"]
    assert abs(D(one["net"]) - D(one["cash"])) < D("0.000001")


def test_funding_is_unknown_until_a_rate_is_assumed_and_nothing_where_none_could_settle(tmp_path):
    over = written(tmp_path, *trip(("100", "101"), ("101", "101.5"), at="07:59:50", to="08:01:00"))
    study = import_trade_log(over, Settings())
    assert study["trades"][0]["funding"] is None
    assert study["tables"][1]["rows"][0][:2] == ["Funding", "unknown"]
    assumed = import_trade_log(over, Settings(), D("0.0001"))
    paid = D(assumed["trades"][0]["funding"])
    assert paid == D("0.0001") * D("100.9798")  # a short receives where longs pay
    within = written(tmp_path, *trip(("100", "101"), ("101", "101.5")))
    assert import_trade_log(within, Settings())["trades"][0]["funding"] == "0"
    with pytest.raises(UserError, match="beyond"):
        import_trade_log(over, Settings(), D("0.1"))


def test_a_short_of_spot_pays_borrow_and_its_lost_proceeds_are_told(tmp_path):
    path = written(tmp_path, *trip(("100", "100.5"), ("99", "100.4"), side=-1, to="10:00:01"))
    study = import_trade_log(path, Settings())
    rate = Settings().borrow_rate("bybit")
    assert bridge(study)["Borrow"] == -2 * rate * D("99.98")  # two clock hours, begun ones too
    assert any("proceeds never reached" in said for said in study["sentences"])


def test_a_frozen_spot_price_leaves_nothing_known(tmp_path):
    path = written(tmp_path, *trip(("150", "150"), ("151.2", "150.6"), note="reason="))
    study = import_trade_log(path, Settings())
    assert study["trades"][0]["frozen"] is True
    assert any("stood still" in said for said in study["sentences"])
    row = study["tables"][2]["rows"][0]
    assert row[-4] is None  # left
    assert row[-1].startswith("spot price stood still, no reason logged")


BAD = [
    ("x", "Line 2: 1 cells"),
    (trip(("1", "1"), ("1", "1"))[0].replace("ENTER", "HOLD"), "neither ENTER nor EXIT"),
    (trip(("1", "1"), ("1", "1"))[0].replace("2026-02-03", "2026-99-03"), "no time like"),
    (trip(("1", "1"), ("1", "1"))[0].replace("1.00000000", "nan", 1), "no amount"),
    (trip(("1", "1"), ("1", "1"))[0].replace("1.00000000", "1e", 1), "no number"),
    ("y" * 5_000, "longer than"),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_a_bad_line_is_one_sentence_with_its_number_and_the_rest_stands(tmp_path, line, said):
    log = read_trade_log(written(tmp_path, line, *trip(("100", "101"), ("101", "101.5"))))
    assert [number for number, _ in log.bad] == [2]
    assert said in log.bad[0][1]
    assert len(log.trips) == 1


def test_rows_without_their_other_half_and_mixed_runs_are_told(tmp_path):
    one, other = trip(("100", "101"), ("101", "102")), trip(("50", "51"), ("51", "51"), "2")
    log = read_trade_log(written(tmp_path, one[1], *one, other[0], *other, ",".join(COLUMNS)))
    assert [row.line for row in log.lost] == [2, 5]
    assert (len(log.trips), log.bad_count, log.runs) == (2, 0, 3)


def test_another_file_is_refused_by_name_of_what_is_missing(tmp_path):
    with pytest.raises(UserError, match="line 1.*missing: spot_price"):
        read_trade_log(written(tmp_path, head=",".join(c for c in COLUMNS if c != "spot_price")))
    with pytest.raises(UserError, match="line 1"):
        read_trade_log(written(tmp_path, head=""))


def test_what_stands_in_the_file_stays_text_on_the_page(tmp_path):
    evil = '<img src=x onerror=alert(1)> reason="=cmd"'
    path = written(tmp_path, *trip(("100", "101"), ("101", "102"), note=evil), "<b>,x")
    study = import_trade_log(path, Settings())
    page = write_study(study, tmp_path / "page")[0].read_text()
    assert "<img" not in page
    assert "<b>" not in page


def test_no_trades_say_so(tmp_path):
    assert "nothing to re-price" in import_trade_log(written(tmp_path), Settings())["sentences"][1]


def test_the_first_error_names_every_column_that_is_missing_and_where_to_read_of_them(tmp_path):
    path = written(tmp_path, head="time,side")
    with pytest.raises(UserError) as refused:
        read_trade_log(path)
    assert all(name in str(refused.value) for name in COLUMNS)
    assert "--help" in str(refused.value)


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("2026-02-03 09:14:22", 1_770_110_062),
        ("2026-02-03T09:14:22Z", 1_770_110_062),
        ("2026-02-03T09:14:22.250", 1_770_110_062),
        ("2026-02-03T10:14:22+01:00", 1_770_110_062),
    ],
)
def test_times_of_iso_are_read_as_the_moment_they_name(tmp_path, stamp, seconds):
    line, _ = trip(("100", "101"), ("101", "101.5"))
    path = written(tmp_path, line.replace("2026-02-03 09:14:22", stamp))
    assert read_trade_log(path).lost[0].t_s == seconds


@pytest.mark.parametrize("stamp", ["03/02/2026 09:14:22", "2026-02-03", "20260203T091422"])
def test_where_no_line_can_be_read_nothing_is_shown(tmp_path, stamp):
    line, _ = trip(("100", "101"), ("101", "101.5"))
    path = written(tmp_path, line.replace("2026-02-03 09:14:22", stamp))
    with pytest.raises(UserError, match="not one of its 1 lines"):
        read_trade_log(path)


def test_the_guide_and_the_help_name_every_column():
    page = Path("resources/help/sessions.md").read_text("utf-8")
    assert all(f"`{name}`" in page and name in TRADES_SAID for name in COLUMNS)
