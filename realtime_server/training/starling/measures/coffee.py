"""Real people who order coffee, in recordings that nothing is trained on: every slot right."""

import asyncio
import json
from pathlib import Path
from typing import Any

from realtime_server.training.starling.caller import calling
from realtime_server.training.starling.measures.talking import read
from realtime_server.training.starling.scoring import called_rightly, share
from realtime_server.training.starling.sets.requests import text
from realtime_server.training.starling.sets.talks import Call, Json, Tool
from realtime_server.training.wren.people import COPIES, left_out
from realtime_server.training.wren.tools import AMOUNTS, DRINKS, MILKS, ROASTS, SHOTS, SIZES, SUGARS

INSTRUCTIONS = "You take orders in a coffee shop. Order what the customer asks for, and leave out what he did not say."


def _amounts(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{amount} {kind}".strip() for kind in kinds for amount in ("", *AMOUNTS))


ORDER = Tool("order_drink", "Order a drink for the customer.", {
    "coffeeDrink": text("The drink", *DRINKS), "size": text("Its size, if it was said", *SIZES),
    "roast": text("The roast, if it was said", *ROASTS), "numberOfShots": text("How many shots, if it was said", *SHOTS),
    "milkAmount": text("Which milk and how much, if it was said", *_amounts(MILKS)),
    "sugarAmount": text("Which sugar and how much, if it was said", *_amounts(SUGARS)),
}, ("coffeeDrink",))  # fmt: skip


def coffee(address: str, folder: Path, number: int | None = None) -> dict[str, Any]:
    results = asyncio.run(_orders(address, folder, number))
    return {"exact": share([one["right"] for one in results]), "recordings": len(results), "orders": results}


async def _orders(address: str, folder: Path, number: int | None) -> list[Json]:
    labels = json.loads((folder / "labels.json").read_text())
    names = [name for name in sorted(left_out(labels, None)) if name[:8] not in COPIES]
    results = []
    for name in names[:number]:
        wanted = labels[name]["slots"]
        async with calling(address, INSTRUCTIONS, (ORDER,)) as caller:
            exchange = await caller.say(read(folder / name))
        calls = [{"name": call["name"], "arguments": call["arguments"]} for call in exchange.calls]
        right = called_rightly((Call(ORDER.name, wanted),), calls)
        results.append({"wanted": wanted, "heard": exchange.heard, "answer": exchange.answer, "calls": calls, "right": right})
    return results
