"""Everyday questions and requests: facts, small sums, small talk, facts of the instructions, follow-ups."""

from realtime_server.training.starling.sets.talks import Talk, Turn, alone

ASSISTANT = "You are a helpful voice assistant. Keep your answers short."
BAKERY = (
    "You are Holly, the voice of Crumb and Company, a bakery in Millbrook. Answer in one or two short sentences. We are "
    "open from six in the morning until two in the afternoon, and closed on Mondays. A loaf of rye is $4.50, a cinnamon "
    "roll is $3. The owner is Mr. Tanaka. We do not sell coffee. If you do not know something, say that you do not know."
)
MUSEUM = (
    "You speak for the Old Lighthouse Museum, and your name is Edgar. Be brief. Tickets: adults 12 dollars, children "
    "under ten free. The guided tour begins at 3 p.m. and takes 40 minutes. The cafe is on the second floor. Photographs "
    "are allowed, but without flash. Visitors park behind the building. Never make anything up: if you were not told, "
    "say so."
)
GYM = (
    "Your name is Max. You answer the phone of Ironworks Gym in a friendly and short way. A membership is 29 dollars a "
    "month and the first visit is free. Yoga is on Tuesdays and Thursdays at six in the evening. The showers close at "
    "ten. Our trainer is called Brenda. You are an automatic assistant."
)
UNKNOWN = (
    r"(?:do not|don't) (?:know|have)|not sure|no information|not (?:been )?told|wasn't told|haven't been told"
    r"|(?:can't|cannot) (?:tell|say|give|provide|share)"
    r"|unable to|unknown|not (?:available|provided|mentioned|specified)"
)
NOT_HEARD = "catch|understand|repeat|hear"
"""Who did not understand the question did not answer it."""

FACTS = (
    Turn("Which city is the capital of Norway?", ("oslo",)),
    Turn("Tell me the capital city of Egypt, please.", ("cairo",)),
    Turn("Do you happen to know what the capital of Canada is?", ("ottawa",), "toronto|montreal"),
    Turn("What's Portugal's capital called?", ("lisbon|lisboa",)),
    Turn("Is Sydney the capital of Australia?", ("no|not|isn't|canberra",), "yes"),
    Turn("Which country is Nairobi the capital of?", ("kenya",)),
    Turn("At how many degrees Celsius does water boil?", ("100|(?:one|a) hundred",)),
    Turn("What gas do plants take in from the air?", ("carbon dioxide|co2|c o two",)),
    Turn("How many strings does a violin have?", ("4|four",)),
    Turn("How many legs does a spider have?", ("8|eight",), "six|6"),
    Turn("What is it that bees make?", ("honey",)),
    Turn("What do we call frozen water?", ("ice",)),
    Turn("What is bread mostly made of?", ("flour|wheat|grain|dough",)),
    Turn("What's the largest animal on earth?", ("whale",)),
    Turn("Does the moon make its own light?", ("no|not|doesn't|reflects?|reflected|reflecting",), "yes"),
    Turn("What force pulls things down to the ground?", ("gravity|gravitational",)),
    Turn("Which organ pumps blood around the body?", ("heart",)),
    Turn("How many minutes are there in two hours?", ("120|(?:one|a) hundred (?:and )?twenty",)),
    Turn("Which month comes after September?", ("october",)),
    Turn("How many days are in a fortnight?", ("14|fourteen",)),
    Turn("What color do I get when I mix blue and yellow paint?", ("green",)),
    Turn("What do you call a baby dog?", ("pup|puppy|puppies",)),
    Turn("What is the opposite of expensive?", ("cheap|cheaper|inexpensive|affordable",)),
    Turn("In which ocean are the islands of Hawaii?", ("pacific",)),
    Turn("What language do people speak in Brazil?", ("portuguese",)),
    Turn("How many players does a soccer team have on the field?", ("11|eleven",)),
    Turn("Who painted the Mona Lisa?", ("leonardo|da vinci",)),
    Turn("What money do people use in Great Britain?", ("pounds?|sterling",)),
    Turn("Can you name a fruit that is yellow?", ("bananas?|lemons?|pineapples?|mango|mangoes|grapefruits?|quince|papaya",)),
    Turn("On which continent would I find Peru?", ("south america",)),
    Turn("How would I thank someone in French?", ("merci",)),
    Turn("What's the longest river in Africa?", ("nile",)),
    Turn("How many letters are there in the English alphabet?", ("26|twenty six",)),
    Turn("What day comes right before Sunday?", ("saturday",)),
    Turn("Who was the first person to walk on the moon?", ("armstrong",)),
)
SUMS = (
    Turn("Nine and six together make how many?", ("15|fifteen",)),
    Turn("What do I get when I take eight away from twenty?", ("12|twelve",)),
    Turn("If I multiply six by seven, what comes out?", ("42|forty two",)),
    Turn("Half of thirty is how much?", ("15|fifteen",)),
    Turn("I had fifty dollars and spent twenty of them. How much is left?", ("30|thirty",)),
    Turn("Three apples and four pears, how many pieces of fruit is that?", ("7|seven",)),
    Turn("Eighty divided by four is what?", ("20|twenty",)),
    Turn("Please add one hundred fifty to two hundred.", ("350|three hundred (?:and )?fifty",)),
    Turn("A movie starts at seven and lasts two hours. When is it over?", ("9|nine",)),
)
SMALL_TALK = (
    Turn("Hello there, nice to meet you!", ("hello|hi|hey|nice|pleasure|welcome|meet|glad|help",)),
    Turn("How are you doing this evening?", ("well|fine|good|great|thanks?|help|here|assist|doing",)),
    Turn("Thanks, that was all I needed.", ("welcome|glad|bye|goodbye|great|pleasure|day|anytime|help|care|happy",)),
    Turn("Would you please say the train leaves at noon?", ("the train leaves at noon",)),
    Turn("Count backwards from three.", (r"(?:3|three)\W+(?:2|two)\W+(?:and )?(?:1|one)",)),
    Turn("Give me one tip for sleeping better.", (r"(?:\w+ ){3,}\w+",), "sorry"),
)
AT_THE_BAKERY = (
    Turn("Hi, who's this?", ("holly|crumb",)),
    Turn("On which day of the week are you closed?", ("monday|mondays",)),
    Turn("What does a cinnamon roll cost?", ("3|three",), "four|4"),
    Turn("How much do you want for a loaf of rye?", (r"4[. ]50?|four (?:dollars )?(?:and )?fifty|four point five",)),
    Turn("Until when can I come by this afternoon?", ("2|two",)),
    Turn("Who owns the shop?", ("tanaka",)),
    Turn("Could I have a coffee at your place, too?", ("no|not|don't|sorry|unfortunately",), "yes|of course|sure"),
    Turn("What is the owner's home address?", (UNKNOWN,), NOT_HEARD),
)
AT_THE_MUSEUM = (
    Turn("A very good morning to you!", ("hello|hi|good morning|morning|welcome|greetings",)),
    Turn("And what should I call you?", ("edgar",)),
    Turn("When does the guided tour begin?", ("3|three",)),
    Turn("How long will the tour take?", ("40|forty",)),
    Turn("My daughter is six years old. What does she pay?", ("free|nothing|no charge|not (?:have|need) to pay",)),
    Turn("Where could I leave my car?", ("behind",)),
    Turn("May I take pictures inside?", ("yes|allowed|may|can|sure|flash|permitted",), "no|not allowed|cannot|can't"),
    Turn("Which floor is the cafe on?", ("second|2nd|two|2",)),
    Turn("Which artists will you show next summer?", (UNKNOWN,), NOT_HEARD),
)
AT_THE_GYM = (
    Turn("On which days can I do yoga?", ("tuesdays?", "thursdays?")),
    Turn("What's the monthly fee?", ("29|twenty nine",)),
    Turn("Do I have to pay for my first visit?", ("no|not|free|don't",), "yes"),
    Turn("What is the name of your trainer?", ("brenda",)),
    Turn("Until what time can I take a shower?", ("10|ten",)),
    Turn("Are you a real human being?", ("assistant|ai|a i|no|not|virtual|robot|automatic|automated",), "yes"),
)
FOLLOW_UPS = (
    (Turn("Who wrote the novel Dracula?", ("stoker",)), Turn("And what country did he come from?", ("ireland|irish",))),
    (Turn("My favorite color is orange."), Turn("Which color did I say I like best?", ("orange",))),
    (Turn("Which is bigger, the sun or the earth?", ("sun",), "the earth is bigger"), Turn("And which is hotter?", ("sun",))),
    (Turn("I'm Patricia, by the way."), Turn("Do you still know what I'm called?", ("patricia",))),
    (Turn("How many sides does a triangle have?", ("3|three",)), Turn("And a hexagon?", ("6|six",))),
)
TALKS: tuple[Talk, ...] = (
    *alone("facts", ASSISTANT, FACTS), *alone("sums", ASSISTANT, SUMS), *alone("small talk", ASSISTANT, SMALL_TALK),
    *alone("instructions", BAKERY, AT_THE_BAKERY), *alone("instructions", MUSEUM, AT_THE_MUSEUM),
    *alone("instructions", GYM, AT_THE_GYM), *(Talk("follow-ups", ASSISTANT, turns) for turns in FOLLOW_UPS),
)  # fmt: skip
