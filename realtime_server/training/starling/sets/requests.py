"""Requests to tools that occur nowhere in training: what has to be called with what, and where nothing may be called."""

from realtime_server.training.starling.sets.talks import Call, Json, Talk, Tool, Turn, alone

WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CURRENCIES = ["EUR", "USD", "GBP", "JPY"]
ACCOUNTS = ["checking", "savings"]
INSTRUCTIONS = "You help by voice. Use a tool where one fits, otherwise just answer in one short sentence."


def text(description: str, *values: str) -> Json:
    return {"type": "string", "description": description} | ({"enum": list(values)} if values else {})


def number(kind: str, description: str, **bounds: int) -> Json:
    return {"type": kind, "description": description, **bounds}


def flag(description: str) -> Json:
    return {"type": "boolean", "description": description}


HOME = (
    Tool("set_thermostat", "Set the temperature of a room.", {
        "room": text("Which room", "living room", "bedroom", "office"),
        "celsius": number("number", "Degrees Celsius", minimum=10, maximum=30),
    }, ("room", "celsius")),
    Tool("lock_door", "Lock or unlock a door.", {
        "door": text("Which door", "front", "back", "garage"), "locked": flag("true locks it, false unlocks it"),
    }, ("door", "locked")),
    Tool("set_volume", "Set how loud the speakers are.", {"percent": number("integer", "0 to 100", minimum=0, maximum=100)},
         ("percent",)),
    Tool("vacuum", "Send out the vacuum robot.", {
        "rooms": {"type": "array", "items": text("A room", "kitchen", "hallway", "bedroom", "bathroom")},
    }, ("rooms",)),
    Tool("play_music", "Play music.", {
        "artist": text("Name of the artist, if one was named"),
        "genre": text("Kind of music", "rock", "jazz", "pop", "classical"),
        "shuffle": flag("Play in random order, if asked for"),
    }),
    Tool("everything_off", "Switch off every device in the house."),
)  # fmt: skip
ERRANDS = (
    Tool("add_to_shopping_list", "Put something on the shopping list.", {
        "product": text("What to buy"), "quantity": number("integer", "How many, if it was said", minimum=1),
    }, ("product",)),
    Tool("create_reminder", "Remind the user of something.", {
        "about": text("What to remember"), "weekday": text("On which day", *WEEK),
    }, ("about", "weekday")),
    Tool("send_text", "Send a text message.", {"recipient": text("To whom"), "message": text("What it says")},
         ("recipient", "message")),
    Tool("order_taxi", "Order a taxi.", {
        "pickup": text("Where it starts"), "destination": text("Where it goes"),
        "passengers": number("integer", "How many people, if it was said", minimum=1, maximum=8),
    }, ("pickup", "destination")),
    Tool("find_restaurant", "Look for a restaurant nearby.", {
        "cuisine": text("Kind of food"), "price": text("Price range, if it was said", "cheap", "moderate", "expensive"),
        "outdoors": flag("With tables outside, if asked for"),
    }, ("cuisine",)),
)  # fmt: skip
BANK = (
    Tool("check_balance", "Tell the balance of one account.", {"account": text("Which account", *ACCOUNTS)}, ("account",)),
    Tool("transfer_money", "Transfer dollars to somebody.", {
        "amount": number("number", "Dollars"), "recipient": text("Who receives it"),
        "account": text("Where it is taken from, if it was said", *ACCOUNTS),
    }, ("amount", "recipient")),
    Tool("convert_currency", "Convert an amount of money.", {
        "amount": number("number", "How much"), "source": text("Currency of the amount", *CURRENCIES),
        "target": text("Currency that is wanted", *CURRENCIES),
    }, ("amount", "source", "target")),
    Tool("block_card", "Block a card that was lost or stolen.", {"card": text("Which card", "credit", "debit")}, ("card",)),
)  # fmt: skip
SERVICES = (
    Tool("report_outage", "Report that a service does not work.", {
        "service": text("Which service", "internet", "telephone", "television"), "since": text("Since when, if it was said"),
    }, ("service",)),
    Tool("translate", "Translate a text.", {"text": text("What to translate"), "language": text("Into which language")},
         ("text", "language")),
    Tool("find_train", "Find trains between two cities.", {
        "origin": text("From which city"), "destination": text("To which city"),
        "weekday": text("On which day, if it was said", *WEEK),
    }, ("origin", "destination")),
    Tool("open_ticket", "Tell the technicians of a problem.", {
        "severity": text("How bad it is", "low", "normal", "urgent"), "summary": text("What the problem is"),
    }, ("severity", "summary")),
    Tool("schedule_haircut", "Make an appointment for a haircut.", {
        "weekday": text("On which day", *WEEK), "stylist": text("With whom, if it was said"),
    }, ("weekday",)),
)  # fmt: skip

AT_HOME = (
    Turn("Could you make the bedroom nineteen degrees?", calls=(Call("set_thermostat", {"room": "bedroom", "celsius": 19}),)),
    Turn("It's too cold in the office. Put it at twenty three, please.",
         calls=(Call("set_thermostat", {"room": "office", "celsius": 23}),)),
    Turn("Please lock the back door.", calls=(Call("lock_door", {"door": "back", "locked": True}),)),
    Turn("Unlock the garage for me.", calls=(Call("lock_door", {"door": "garage", "locked": False}),)),
    Turn("Turn the volume down to thirty percent.", calls=(Call("set_volume", {"percent": 30}),)),
    Turn("Make it as loud as it goes, one hundred percent.", calls=(Call("set_volume", {"percent": 100}),)),
    Turn("Have the robot vacuum the kitchen and the hallway.", calls=(Call("vacuum", {"rooms": ["kitchen", "hallway"]}),)),
    Turn("I'm in the mood for some jazz.", calls=(Call("play_music", {"genre": "jazz"}),)),
    Turn("I'd love to hear Nina Simone.", calls=(Call("play_music", {"artist": "Nina Simone"}),)),
    Turn("Shuffle some rock music, please.", calls=(Call("play_music", {"genre": "rock", "shuffle": True}),)),
    Turn("Lock the front door and set the living room to eighteen degrees.", calls=(
        Call("lock_door", {"door": "front", "locked": True}), Call("set_thermostat", {"room": "living room", "celsius": 18}))),
    Turn("Switch everything off, right now!", calls=(Call("everything_off"),)),
    Turn("Why do old stairs creak?"),
    Turn("Could you water my tomatoes?"),
)  # fmt: skip
ON_ERRANDS = (
    Turn("Put six eggs on my shopping list.",
         calls=(Call("add_to_shopping_list", {"product": ("eggs", "egg"), "quantity": 6}),)),
    Turn("We're out of dish soap, add it to the list.", calls=(Call("add_to_shopping_list", {"product": "dish soap"}),)),
    Turn("On Wednesday, remind me to feed the rabbits.",
         calls=(Call("create_reminder", {"about": ("feed the rabbits", "feeding the rabbits"), "weekday": "Wednesday"}),)),
    Turn("Don't let me forget the dentist on Friday.", calls=(Call("create_reminder", {
        "about": ("dentist", "dentist appointment", "go to the dentist", "visit the dentist", "see the dentist"),
        "weekday": "Friday"}),)),
    Turn("Text Monica that dinner is ready.",
         calls=(Call("send_text", {"recipient": "Monica", "message": "Dinner is ready"}),)),
    Turn("Send a message to Uncle Bob saying happy birthday.",
         calls=(Call("send_text", {"recipient": "Uncle Bob", "message": "Happy birthday"}),)),
    Turn("I need a taxi from the airport to Station Road.",
         calls=(Call("order_taxi", {"pickup": "airport", "destination": "Station Road"}),)),
    Turn("A cab for five people, please, from the opera to the Grand Hotel.",
         calls=(Call("order_taxi", {"pickup": ("opera", "opera house"), "destination": "Grand Hotel", "passengers": 5}),)),
    Turn("Find me a cheap Thai restaurant.",
         calls=(Call("find_restaurant", {"cuisine": ("Thai", "Thai food"), "price": "cheap"}),)),
    Turn("Where can we eat Mexican food outdoors?",
         calls=(Call("find_restaurant", {"cuisine": ("Mexican", "Mexican food"), "outdoors": True}),)),
    Turn("Is there a good Indian restaurant around here?",
         calls=(Call("find_restaurant", {"cuisine": ("Indian", "Indian food")}),)),
    Turn("Add bananas to my list and text Oliver that I am on my way.", calls=(
        Call("add_to_shopping_list", {"product": ("bananas", "banana")}),
        Call("send_text", {"recipient": "Oliver", "message": ("I am on my way", "I'm on my way")}))),
    Turn("How do I get red wine out of a carpet?"),
    Turn("That's very kind of you."),
)  # fmt: skip
AT_THE_BANK = (
    Turn("How much is in my savings account?", calls=(Call("check_balance", {"account": "savings"}),)),
    Turn("What's left in checking?", calls=(Call("check_balance", {"account": "checking"}),)),
    Turn("Transfer forty dollars to Margaret.", calls=(Call("transfer_money", {"amount": 40, "recipient": "Margaret"}),)),
    Turn("Send two hundred and fifty dollars to my landlord from savings.", calls=(Call("transfer_money", {
        "amount": 250, "recipient": ("landlord", "my landlord"), "account": "savings"}),)),
    Turn("Convert eighty euros into American dollars.",
         calls=(Call("convert_currency", {"amount": 80, "source": "EUR", "target": "USD"}),)),
    Turn("How many yen do I get for fifteen British pounds?",
         calls=(Call("convert_currency", {"amount": 15, "source": "GBP", "target": "JPY"}),)),
    Turn("I've lost my credit card, please block it.", calls=(Call("block_card", {"card": "credit"}),)),
    Turn("Somebody stole my debit card!", calls=(Call("block_card", {"card": "debit"}),)),
    Turn("Show me both balances, checking and savings.", calls=(
        Call("check_balance", {"account": "checking"}), Call("check_balance", {"account": "savings"}))),
    Turn("What does the word inflation mean?"),
    Turn("When was the first bank founded?"),
)  # fmt: skip
AT_THE_COUNTER = (
    Turn("My internet has been down since yesterday.",
         calls=(Call("report_outage", {"service": "internet", "since": ("yesterday", "since yesterday")}),)),
    Turn("The television isn't working.", calls=(Call("report_outage", {"service": "television"}),)),
    Turn("Translate good night into Italian.", calls=(Call("translate", {"text": "good night", "language": "Italian"}),)),
    Turn("I need where is the bathroom translated to German.",
         calls=(Call("translate", {"text": "where is the bathroom", "language": "German"}),)),
    Turn("Which trains go from Boston to New York on Saturday?",
         calls=(Call("find_train", {"origin": "Boston", "destination": "New York", "weekday": "Saturday"}),)),
    Turn("I want to take the train from Leeds to York.",
         calls=(Call("find_train", {"origin": "Leeds", "destination": "York"}),)),
    Turn("Open an urgent ticket: the printer is on fire.", calls=(Call("open_ticket", {
        "severity": "urgent", "summary": ("the printer is on fire", "printer on fire", "printer fire")}),)),
    Turn("I'd like a haircut with Sandra on Thursday.",
         calls=(Call("schedule_haircut", {"weekday": "Thursday", "stylist": "Sandra"}),)),
    Turn("Can you get me in for a haircut on Tuesday?", calls=(Call("schedule_haircut", {"weekday": "Tuesday"}),)),
    Turn("Please cancel my newspaper subscription."),
    Turn("Who am I speaking with?"),
)  # fmt: skip
TALKS: tuple[Talk, ...] = (
    *alone("home", INSTRUCTIONS, AT_HOME, HOME), *alone("errands", INSTRUCTIONS, ON_ERRANDS, ERRANDS),
    *alone("bank", INSTRUCTIONS, AT_THE_BANK, BANK), *alone("services", INSTRUCTIONS, AT_THE_COUNTER, SERVICES),
)  # fmt: skip
