"""Cues of dialogue: what kind of thing a sentence does, whatever it is about.

English only, and deliberately about *how* people talk with an agent (asking, agreeing, declining,
offering, reporting), never about *what*: no subject matter, no tool, no service has a word here.
"""

import re

from acontext_server.observer.agents.language import has_word, read_once, sentences, words
from acontext_server.observer.agents.vocabulary import ACT, AMBIGUOUS, LOOK, VERBS, Cue

_POLITE = (
    r"(?:(?:please|also|now|just|then|kindly|first|next|and|so|but|actually|instead|maybe"
    r"|go ahead(?: and)?|for now|after that)\b[,\s]*)*"
)
_PRAISE = (
    r"(?:(?:that|this|it)(?: now| really)? )?(?:works?|worked|fixed it|solved it|did it"
    r"|did the trick"
    r"|helped|helps)(?: now| great| well| fine| again| perfectly| nicely| like a charm| for me"
    r"| too)*"
    r"(?=\s*(?:[,.!;:]|$|thank|thx))"
    r"|(?:good|great|nice|excellent|amazing|awesome|fantastic) (?:work|job|one|stuff)|well done"
    r"|(?:that(?:'s| is)|this is)? ?(?:exactly|just) (?:what|as) i (?:wanted|needed|asked(?: for)?"
    r"|was looking for|had in mind|meant)"
    r"|(?:that'?s|that is|this is) (?:the one|it)(?=\W*$)"
    r"|(?:i )?(?:absolutely |really )?love (?:it|this|that)"
    r"|looks? (?:good|great|right|fine|perfect|nice|amazing|awesome)(?: now| to me)*"
)
"""The user is content with what was done."""
_CONTENT = Cue(
    rf"^\W*(?:(?:ok(?:ay)?|oh|ah|wow|great|perfect|yes|cool|(?:ha){{2,}})\W+)*"
    rf"(?:{_PRAISE}|(?:many )?thank(?:s|x)?\b|thx\b"
    r"|cheers\b|perfect\b|awesome\b|excellent\b|wonderful\b|fantastic\b|amazing\b|brilliant\b"
    r"|merci\b|(?:muchas )?gracias\b|danke\b|grazie\b|obrigad[oa]\b)"
)
_DELIGHT = Cue(
    r"\bthank|\bth?n?x\b|\bty\b|\bcheers\b|\bdanke\b|\bmerci\b|\bgracias\b|\bgrazie\b|\bobrigad"
    r"|\blove (?:it|this|that)\b|\bthe one\b"
)
_GREETING_ABROAD = (
    r"hola|bonjour|salut|hallo|guten (?:tag|morgen|abend)|ciao|buenos d[ií]as|buenas|ol[aá]|namaste"
    r"|konnichiwa|merci(?: beaucoup)?|(?:muchas |mil )?gracias|danke(?: sch[oö]n| sehr| dir"
    r"| ihnen)?"
    r"|vielen dank|grazie(?: mille)?|obrigad[oa]|arigato(?: gozaimasu)?|spasibo|dank je(?: wel)?"
    r"|tack(?: s[aå] mycket)?|por favor|s'il (?:vous|te) pla[iî]t|bitte(?: sch[oö]n)?|per favore"
    r"|adi[oó]s|au revoir|tsch[uü]ss|auf wiedersehen|hasta luego|de nada|gern geschehen|de rien"
    r"|prego"
)
"""Politeness is often said in one's own language."""
_FILLER = re.compile(
    rf"^(?:(?:{_PRAISE}|{_GREETING_ABROAD}"
    r"|ok(?:ay)?|alright|all right|great|good|perfect|cool|nice|fine|awesome|excellent"
    r"|fantastic|wonderful|lovely|super|amazing|wow|oh|ah|well|hmm+|right|sure(?: thing)?|yes|yeah"
    r"|yup|yep|yea|ya|no(?:pe)?|not (?:right )?now|not yet|correct|exactly|absolutely|definitely"
    r"|i (?:completely |totally )?understand|of course|agreed|understood|got it|i see"
    r"|(?:wait|hold on)(?=\W)|stop(?=\W*$)|(?:morning|evening|afternoon)(?=\W*$)"
    r"|damn|dang|argh|ugh|ouch|oops|(?:ha){2,}|lol|interesting"
    r"|phew|hm|uh+|umm?|kk?|yay|fair(?: enough)?|makes sense|unbelievable|whatever"
    r"|(?:now )?(?:it|that)(?:'s| is) (?:right|better)(?: now)?|very (?:good|well|nice)"
    r"|not bad|finally|no problem"
    r"|(?:many )?(?:thanks|thank you)(?: a (?:lot|ton|million|bunch)| so much| very much| again)*"
    r"(?: for [^.,;!?]*)?"
    r"|th?n?x|ty|cheers"
    r"|go(?=\W*$)|please do(?: so| that)?|yes please|do (?:it|that|so)|go (?:ahead|on|for it)"
    r"|let'?s (?:do|go)"
    r"(?: it| that| ahead)?|(?:hi|hello|hey)(?: there)?|good (?:morning|evening|afternoon|day)"
    r"|(?:i(?:'m| am) )?just (?:testing|saying hi|checking(?: in)?)"
    r"|how are you(?: doing)?(?: today)?"
    r"|bye(?: bye)?|good ?bye|see (?:ya|you)(?: later| soon)?|take care|later|maybe later|please"
    r"|perhaps(?: later)?|(?:that|this|it)(?:'s| is| sounds?| looks?| seems?| works?| will| would|"
    r"'ll)*(?: work| be| do)?(?: just)?(?: quite| very| really| pretty| so| all)?"
    r"(?: good| great| fine| ok(?:ay)?| perfect| nice| right| correct| cool| lovely| awesome"
    r"| acceptable| wonderful| excellent| amazing)?(?: as (?:it|that) is)?"
    r"(?: (?:for|with|to|by) me)?(?: then)?"
    r"|sounds (?:good|great|fine|nice|perfect)(?: to me)?|works for me|i (?:like|love) (?:it|that)"
    r"(?: one)?|i agree|i confirm|confirmed|then|good then)\b\s*[,.!;:]*\s*)+",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^(?:(?:no,?\s*)?(?:thanks?|thank you)\b.{0,60}|(?:no,?\s*)?that(?:'s|s| is|'ll| will| would)"
    r"(?: be)? (?:all|it|everything|enough)\b.*|(?:i (?:don'?t|do not) )?(?:need"
    r"|want) (?:anything|nothing)"
    r"(?: else| more)?\b.*|nothing (?:else|more|for now)\b.*|i(?:'m| am) (?:good|done|fine"
    r"|all set)\b.*"
    r"|have a .{2,40}|you(?:'ve| have)? been .{0,40}|(?:i )?(?:really )?appreciate .{0,60}"
    r"|you(?:'re| are) (?:very |most )?welcome\b.*|not (?:today|at the moment|for now|really)\b.*"
    r"|(?:actually,? |sorry,? )?i(?: need| have|'ve got) to (?:go|run|leave)\b.*"
    r"|i (?:think )?(?:that|this) is (?:all|it)\b.*|talk to you .*|#+stop#+)$",
    re.IGNORECASE,
)
_ASKING = re.compile(
    rf"^{_POLITE}(?:"
    rf"(?:can|could|would|will|may|might) (?:you|i|we)\b.*\b(?:{VERBS}|assist|like|have)\b"
    r"|(?:can|could|would|will) you (?:please |also |just )*(?:figure|sort|work|look|take|deal"
    r"|handle|go|point|walk|keep|see (?:to|if|whether)|double-check|ensure|make)\b"
    r"|(?:do|would) you (?:mind|have)\b"
    r"|(?:is|are) there (?:any|some|a)\b"
    r"|(?:i|we)(?:'d| would| really| also| still| do| just|'ll| will| actually| think)*"
    r" (?:need|want|wanna|like to|love to|wish|have to|require|prefer)\b"
    r"|(?:i|we)(?:'d| would)(?: also| really)? (?:like|love)\b"
    r"|(?:i|we)(?:'m| am| are|'re| was)?(?: also| just)? (?:looking|searching|trying|hoping"
    r"|planning|interested|thinking)\b|(?:looking|searching) for\b"
    rf"|(?:we|you) (?:should|must|ought to)\b(?! have\b).*\b(?:{VERBS})\b"
    r"|i(?:'m| am) in need\b|(?:let'?s|let us)\b|how about (?:\w+ing)\b|any chance\b"
    r"|need (?:a|an|some|the|to|help)\b|(?:do )?(?:the )?same (?:for|on|with|to|in)\b"
    rf"|do (?:a|an|the|some|my|our)\b|(?:{VERBS})\b(?! (?:is|are|was)\b))",
    re.IGNORECASE,
)
_NO_VERB = (
    "i you he she it we they who what which when where why how if as at by for from in of on to "
    "with about after before until than then that this these those there here and but or so "
    "because while though although not no never yes is are was were be been am do does did has "
    "have had can could may might must shall should will would all any both each every some such "
    "same other another more most much many few hope guess think thank know see believe wish mean "
    "feel bet hate love like loved liked got saw found had made said sent took lost bought went "
    "came gave told kept left forgot meant ran put hit just only even still also maybe perhaps "
    "sorry please well okay good great nice fine sure too very quite rather really "
    "looks sounds seems suppose reckon want need prefer wonder remember since during over under "
    "between despite without within near inside outside against around throughout along across "
    "behind above below beside half nobody wrote spent broke drove chose held sold paid met felt "
    "led won yesterday today tomorrow tonight unfortunately apparently"
)
_ORDER = re.compile(
    rf"^{_POLITE}(?!(?:{'|'.join(_NO_VERB.split())})\b)[a-z]{{3,}}(?<!ed)(?<!ing)(?<!s)(?<!ly)"
    r" (?:the|my|our|this|that|these|those|all|both|every|each|them|him|her)\b(?! (?:is|are|was"
    r"|were|has|have|looks?)\b)",
    re.IGNORECASE,
)
"""An imperative by its place: a verb that may be any, with what it is to be done to."""
_REQUEST_INSIDE = Cue(
    rf"[,;]\s*(?:and |but |so |then )?{_POLITE}(?:(?:can|could|would|will) (?:you|i"
    rf"|we)\b.*\b(?:{VERBS})\b"
    r"|i(?:'d| would)? (?:also )?(?:need|want|like)\b|help me\b"
    rf"|please (?:{VERBS})\b)"
)
_IMPERATIVE = re.compile(
    rf"^{_POLITE}(?:(?:can|could|would|will) you (?:please |also |help me )?|(?:i|we)(?:'d| would)?"
    rf" (?:need|want|like) you to )?(?:{VERBS})\b",
    re.IGNORECASE,
)
_MANNER = re.compile(
    rf"^{_POLITE}(?:(?:can|could|would|will) you (?:please )?)?(?:always|never|only|first|use|keep"
    r"|ask|wait|be|stay|stick|prefer|ignore|skip|follow|respect|include|exclude|leave|mention|cite"
    r"|focus|limit|consider|assume|treat|name|answer|respond|speak|talk|check|verify|double-check"
    r"|confirm|inform|warn|remember|go (?:with|for|ahead)|proceed|continue|take|pay|charge|ship"
    r"|deliver|look)\b"
    r"(?! (?:is|are|was|were)\b)",
    re.IGNORECASE,
)
_BETWEEN_IMPERATIVES = re.compile(
    rf"(?:\s*[,;]\s*(?:and |then |and then |also )*|\s+(?:and|then|and then|and also)\s+)"
    rf"(?=(?:please |also )?(?:{VERBS})\b(?!\s+(?:of|is|are|was)\b))",
    re.IGNORECASE,
)
_LEAD_OF_LIST = re.compile(rf"^[^:]{{0,80}}:\s+(?={_POLITE}(?:{VERBS})\b)", re.IGNORECASE)
_ADDING = re.compile(
    r"^(?:also|and(?: also| then)?|then|next|finally|lastly|additionally|in addition|besides"
    r"|after that|(?:i|we)(?:'d| would)? also\b|(?:can|could|would|will) you (?:please )?also"
    r"|secondly|thirdly|second|third|plus)\b",
    re.IGNORECASE,
)
_REFINING = Cue(
    r"\b(?:something|anything|someone|anyone|somewhere|anywhere|nothing|one) (?:else|other"
    r"|different"
    r"|cheaper|better|similar)|(?<!\bmy )(?<!\bour )(?<!\bthe )\bothers?\b|\banother (?:one"
    r"|option|choice|place|time"
    r"|date)\b"
    r"|\bsome other\b|\bany more\b|\bmore (?:options|choices|results|names|suggestions)\b"
    r"|\b(?:what|how) else\b|\belse\b|\bdifferent\b|\binstead\b|\bchanged? my mind\b|\brather\b"
    r"|\b(?:what|how) about\b|\b(?:try|book|do|run|search|check|call) again\b|\bagain but\b"
    r"|\bretry\b"
    r"|\bones\b"
)
_OFFER = re.compile(
    r"\b(?:would you like|do you (?:want|wish|need)|do you wanna|shall i|should i|can i|could i"
    rf"|may i|want me to|wanna|would you care|any plans? to|want to|is it ok(?:ay)? (?:if"
    rf"|to))\b(?P<what>[^?]*\b(?:{VERBS})\w*\b[^?]*"
    r"|[^?]*\b(?:it|that|one|them|tickets?|this)\b[^?]*)\?",
    re.IGNORECASE,
)
_NO_OFFER = re.compile(
    r"\s*(?:me )?(?:to )?(?:suggest|recommend|help|assist|ask|know|have your)\b", re.IGNORECASE
)
_ANYTHING_ELSE = Cue(
    r"\b(?:anything|something|what) (?:else|more|further|additional)|\bany(?:thing)? (?:other"
    r"|more|further)\b"
    r"|\bwhat(?:'s| is) next\b|\bwhat (?:can|shall|should) (?:i|we) do next\b"
    r"|\bmore requests?\b|\bfurther (?:help|assistance)\b|\bassist you (?:with|further)"
    r"|\bhelp (?:you )?(?:with )?(?:today|now)\b|\banything i can\b"
)
_ASKS_FOR_INPUT = Cue(
    r"\b(?:please|kindly) (?:provide|tell|confirm|verify|specify|choose|select|share|indicate"
    r"|let me know"
    r"|give|clarify|enter|state|check)|\b(?:could|can|would|may) (?:you|i) (?:please )?(?:provide"
    r"|tell|confirm"
    r"|verify|specify|share|clarify|have|know|give|let me know)|\blet me know (?:which|what|when"
    r"|where|if you"
    r" (?:would like|want) (?:me )?to proceed)|\bi(?:'ll| will)? need (?:your|the|to know|some"
    r"|more)"
    r"|\bconfirm (?:me|the|that|these|this|if|you|your|all)|\bwhich (?:one|of)\b|\bproceed\b"
)
_ASIDE = re.compile(
    r"^\W*(?:(?:quick|side|one|another|small|just a) (?:quick )?question|by the way|btw"
    r"|just curious|out of curiosity|unrelated)\b",
    re.IGNORECASE,
)
_BEFORE_ACTING = Cue(words=r"(?:shall|should|may) i\b")
_ASKS_TO_CONFIRM = Cue(
    r"\b(?:do|can|could|would) you (?:please )?(?:confirm|approve|agree)\b|\byes ?(?:/|or) ?no\b"
    r"|\b(?:shall|should|may|can) i (?:proceed|go ahead|continue|do (?:that|this|it|so))\b"
    r"|\bis (?:that|this|everything|it|all of this) (?:ok(?:ay)?|correct|right|fine|alright)\b"
    r"|\b(?:proceed|go ahead)(?: with (?:this|that|it|the \w+))?\?"
)
_TELLING = re.compile(
    r"^(?:report\b|summari[sz]e\b|let (?:me|us) know\b|tell (?:me|us)\b|(?:send|give|show"
    r"|write) (?:me|us)"
    r" (?:a |an |the )?(?:\w+ )?(?:summary|report|overview|result|results|update)\b)",
    re.IGNORECASE,
)
_NO_WORK = re.compile(
    r"^(?:and )?(?:tell (?:me|us)|let (?:me|us) know|(?:make|be) sure|ensure)\b", re.IGNORECASE
)
"""What comes of the work is told anyway, and how it is to be is no work of its own."""
_REVISING = Cue(
    r"\b(?:make|change|rewrite|rephrase|shorten|extend|reword|redo|update|edit|adjust|tweak|expand"
    r"|simplify|reformat|revise|polish|trim)\s+(?:it|this|that|them|these|those)\b"
    r"|\bmake\s+(?:the|its|their|your|this|that|these|those) .{2,40}?\b(?:\w{2,}er|more|less)\b"
)
_GIVING_UP = Cue(
    r"^\W*(?:(?:no|actually|oh|hmm+|sorry|please|ok|wait)\W+)*(?:don'?t|do not)"
    r"(?: do (?:it|that))?(?=\s*(?:[,.!;:–—-]|$))",
    words=r"(?:never ?mind|forget (?:it|about it|that)|give up|giving up|don'?t bother|stop (?:it"
    r"|that|here|working)"
    r"|not needed any ?more|no longer (?:need|want)|drop it|abort"
    r"|leave it(?! (?:as|like|at|in|on|to|with)))\b"
    r"|no need(?: any ?more| for (?:it|that|this))?\W*$",
)
_SCORNFUL = Cue(
    r"(?:useless|terrible|horrible|awful|rubbish|garbage|unusable|no good|a waste of time|hopeless)"
    r"\b"
)
_SCORN = Cue(
    r"(?:^|\b(?:you|it|this|that)(?: people| guys| all)?(?:'re|'s| are| is| was| were)?)\W*"
    r"(?:(?:just|so|completely|totally|really|absolutely|pretty) ){0,3}"
    rf"{_SCORNFUL.pattern}"
)
"""The user thinks nothing of what came of it."""
_WITHOUT_AGENT = Cue(
    words=r"(?:i|we)(?:'ll| will| am going to|'m going to) (?:just |rather |better )?"
    r"(?:do|write|look|make|fix|handle|find|build|order|book|call|sort|take care)\b"
    r"[^.!?]{0,200}\b(?:myself|ourselves|by hand|elsewhere)\b"
)
_COMPLAINT = Cue(
    r"\b(?:wrong|incorrect|not (?:right|correct|working|what i)|(?:does|did|is|was"
    r"|has)n'?t (?:work|right|correct|been)"
    r"|still (?:not|broken|fails?|failing|missing|an? |dead|down|the same)"
    r"|^\W*(?:(?:it|that|this)(?:'s| is)? )?still \w+ing|broken|that'?s not|this is not|it fails"
    r"|failed"
    r"|doesn'?t|you (?:forgot|missed|misunderstood)"
    r"|you should(?:'ve| have) (?!the\b)\w+(?:ed|en|un|old|nt|ade)\b"
    r"|not happy|redo|do (?:it|that) (?:again|over)"
    r"|mistake)\b"
)
_BARE_COMPLAINT = re.compile(
    r"^\W*(?:no\W+)?(?:that|this|it)(?:'s| is| was)(?: still)? ?(?:n't|not) (?:what|how|the way)"
    r" (?:i|we) (?:asked(?: for)?|wanted|meant|said|had in mind|need)\W*$",
    re.IGNORECASE,
)
_FAILURE = Cue(
    r"\b(?:unable to|(?:could|can)(?:n?'?t|not| not) (?!understand|hear|see|catch|tell|wait)\w+"
    r"|(?:was|were|did|do|does)(?:n'?t| ?not) (?:able to "
    r"|seem to )?(?:be )?(?:\w+ )?"
    r"(?:book|find|make|complete|process|get|do|proceed|access|finish|fix|reserve|schedule"
    r"|purchase|buy|rent"
    r"|play|change|modify|cancel|update|locate|reach|transfer|perform|succeed|go through|work"
    r"|execute)"
    r"|not able to|not (?:possible|successful|available|allowed|permitted|supported|eligible)"
    r"|unsuccessful|failed|failure"
    r"|went wrong"
    r"|had (?:a |an )?(?:problem|issue|error|trouble)|give up|no luck|cannot be)\b"
)
_LEFT_UNDONE = Cue(words=r"so (?:i|we) (?:did not|didn't|have not|haven't) \w+")
_APOLOGY = Cue(words=r"(?:sorry|apologi[sz]e|apologies|afraid|unfortunately|regret|unable)\b")
_DONE = Cue(
    r"^\W*(?!need|indeed|based|inspired|compared)\w{3,}ed\b|\bworks? (?:now|again)\b|\b(?:is"
    r"|are) now\b"
    r"|\bi (?:just |also |already |now )?(?!need)(?:\w+ed|made|wrote|built|sent|put|ran)\b"
    r"|\b(?:done|finished|completed?|successful(?:ly)?|(?:has|have) been|(?:is"
    r"|are) (?:now )?(?:ready|booked|reserved"
    r"|confirmed|deployed|created|scheduled|sent|fixed|live)|i(?:'ve| have)(?: now| already| just"
    r"| successfully)? \w+(?:ed|ade|ent"
    r"|ound|ought|ritten|uilt|et)|here (?:is|are) (?:the|your|a)|here'?s (?:the|your|a))\b"
)
_ERROR_RESULT = re.compile(
    r"^\W*(?:error|exception|traceback|failed|failure|fatal|invalid|not found|permission denied"
    r"|timed? ?out"
    r"|unauthorized|forbidden|[45]\d\d (?:error|bad|internal|not|service|gateway|too|forbidden"
    r"|unauthorized))\b|\"?(?:error"
    r"|exception)\"?\s*:\s*(?!null|false|\"\"|none|\[\]|0)"
    r"|\"?(?:success|ok)\"?\s*:\s*false|\btraceback \(most recent|\bcommand not found"
    r"|exit(?:ed with)? code:? [1-9]",
    re.IGNORECASE,
)
_GOING_ON = Cue(
    words=r"(?:next,? i|i(?:'ll| will| am going to|'m going to)"
    r" (?!be\b|let\b|wait|keep|remember|always|never|ask\b)\w+"
    r"|let me (?:now |just |also )?(?!know)\w+"
    r"|(?:going|moving|carrying) on (?:with|to)|i(?: now| then)? (?:go|carry|move) on"
    r"|i(?:'m| am)? (?:now )?(?:continuing|continue))\b"
)
"""The agent tells what it does next."""
_IS_DONE = Cue(r"\b(?:is|are|was|were) (?:now |already )?\w{3,}ed\b")
_HOW_FAR = Cue(
    r"^\W*(?:(?:so|and|any|what's the)\W+)*"
    r"(?:status|progress|updates?|news|done|ready|yet|so|and)\W*$"
)
_CONCRETE = re.compile(
    r"https?://|(?<![\w.])\d+(?:[.,]\d+)*%?(?![\w.]*\w)|\b(?:error|exception|fail(?:s|ed|ing|ure)?"
    r"|broken|missing|because|turns out|caused|found|crash(?:es|ed)?)\b",
    re.IGNORECASE,
)
_OBJECTION = Cue(
    r"^(?:no(?!\W+(?:problem|worries|objections?|that'?s (?:fine|good|ok)|need to change))|nope"
    r"|wait|hold on|stop|not (?:yet|quite|like)|i (?:don'?t|do not) (?:like|want|agree"
    r"|think)|hmm+,? no"
    r"|that'?s (?:not|wrong|too)|too )\b|\b(?:different|another|other) (?:plan|approach|way)\b"
    r"|\bchange the plan\b"
)
_AFFIRMING = re.compile(
    r"^\W*(?:yes|yeah|yup|yep|yea|ya|sure|ok(?:ay)?|please|of course|absolutely|definitely"
    r"|go ahead|do (?:it|that|so)"
    r"|perfect|great|good|fine|sounds|that|this|it|correct|exactly|right|alright|cool|nice"
    r"|awesome|i (?:like|love|do|agree"
    r"|want|would|'?d|need|will|confirm|think)|i'?d|let'?s|could|can|make|for|book|get|give|two"
    r"|one|three|four|\d)\b",
    re.IGNORECASE,
)
_DECLINING = Cue(
    r"^\W*(?:(?:ok(?:ay)?|well|oh|hmm+|actually|thanks?(?: you)?)[\s,.]+)?(?:no|nope|nah|not"
    r"|don'?t|do not|never|maybe|perhaps|later|i'?(?:m| am) good"
    r"|i (?:don'?t|do not|might|will think|need to think|changed)|(?:i'?ll|i will) (?:think|pass"
    r"|do it later)"
    r"|that'?s (?:all|it|okay, no)|just|first)\b|\b(?:later|some other time|not (?:right )?now"
    r"|not (?:yet|today))\b"
)
_QUESTION_WORD = re.compile(
    r"^(?:and |but |so |also |well |please |then )*(?:what|which|who|whom|whose|when|where|why"
    r"|how|is|are|was|were|do|does|did|has|have|"
    r"am|should|shall|any)\b",
    re.IGNORECASE,
)
_INFORMING = re.compile(
    rf"^{_POLITE}(?:can|could|would|will|may) (?:you|i|we) (?:please |also |just )*(?:tell"
    rf"|confirm|repeat|explain|clarify|remind"
    r"|give|let|know|get|have|say|describe)\b.*\b(?:it|its|it's|their|them|they|his|her|he|she"
    r"|that|those|this|the|me what|me how|me if"
    r"|me when|me where|me which|me who)\b",
    re.IGNORECASE,
)
_LEADS_AWAY = Cue(
    words=r"(?:also|too|as well|another thing|next|now|additionally|besides|moving on"
    r"|one more thing|separately)\b"
)
_READING_BACK = Cue(
    r"\b(?:confirm(?:ing)?|verify)\b(?!.{0,20}\byour? (?:id|name|email|number))|\b(?:to recap"
    r"|just to be (?:sure|clear))\b"
    r"|\b(?:is (?:that|this|it|everything) )?(?:correct|right|okay)\?|^\W*(?:ok(?:ay)?,? |sure,? "
    r"|so )?(?:you(?:'d| would)?"
    r" (?:want|like|wish|need)|(?:i(?:'m| am|'ll| will) (?:be )?)?\w+ing (?:\d+|a|an|the|you))\b"
)
_WANTS_DATA = Cue(
    words=r"(?:provide|let me know|(?:give|tell|send|show) me|share|which|what|when|where)\b"
)
_OTHERWISE = Cue(
    words=r"(?:instead|actually|changed? my mind|rather|make (?:it|that|them)|on second thoughts?"
    r"|scratch that|correction)\b"
)
_CORRECTING = Cue(rf"{_OTHERWISE.pattern}|^\W*no\b,? (?!thanks|thank|problem|need|worries|rush)")
_SELF = re.compile(r"^\W*(?:actually,? )?(?:i|we|it|that|this)\b", re.IGNORECASE)
_NEGATED = Cue(words=r"(?:not|never|no|without|avoid|don't|doesn't)\b")
_BETWEEN_WISHES = re.compile(
    r"[\s,;]+(?:and|but) (?=(?:please )?(?:always|never|don'?t|do not|make sure)\b)", re.IGNORECASE
)
_LASTING = Cue(
    words=r"(?:prefer|always|never|remember|make sure|from now on|in (?:the )?future|next time"
    r"|every time|by default)\b"
)
_NORM = Cue(
    r"\b(?:no|never|always|only|any ?more|every|each|too|max(?:imum)?|min(?:imum)?"
    r"|at (?:most|least)|tops|hate|like|love|prefer|allergic|my|our|mine|ours|must|budget"
    r"|please)\b|\d"
)
"""It says how things are to be, or gives a fact of one's own."""
_MEANING = Cue(words=r"(?:i|we) meant?\b")
_SUCCEEDED = re.compile(
    r"^[^{\[\n]*\b(?:success(?:ful(?:ly)?)?|succeeded|completed?|done|deployed|created"
    r"|passed)\b(?!.*\b(?:fail|error|not)\b)[^{\[]*$",
    re.IGNORECASE,
)
_OF_THE_SAME = Cue(
    words=r"(?:it|its|that|this|these|those|them|their|him|his|her|ones?|there|one)\b"
)
"""A part of a sentence that goes on about what the part before it named."""
_POINTING = Cue(words=r"(?:it|that|this|these|those|them|ones?|there|one)\b")
_LOOKING = Cue(rf"\b(?:{'|'.join(LOOK.split())}|looking|searching|get|there any|have)\b")
_ACTING = Cue(
    rf"\b(?:{'|'.join(word for word in ACT.split() if word not in AMBIGUOUS)})\b"
    rf"|\b(?:reservation|booking|appointment)\b"
)
_TELLING_WORDS = 2
"""An order with more words of its own says by itself what it is about."""


@read_once
def content(text: str) -> str:
    """What is left of a sentence without greeting, thanks, agreement and goodbye."""
    if _CLOSING.match(text.strip()):
        return ""
    rest = _FILLER.sub("", text.strip()).strip()
    return "" if _CLOSING.match(rest) or not has_word(rest) else rest


@read_once
def is_small_talk(text: str) -> bool:
    """Nothing but greeting, thanks, agreement, goodbye."""
    return not any(content(sentence) for sentence in sentences(text))


def thanks_or_praises(text: str) -> bool:
    """The user is content."""
    return _CONTENT.is_in(text) and (is_small_talk(text) or not is_question(text))


def is_delighted(text: str) -> bool:
    """The user thanks or loves it, rather than just agrees."""
    return _DELIGHT.is_in(text)


@read_once
def is_question(text: str) -> bool:
    """A sentence that wants to be answered with words."""
    rest = content(text) or text
    return rest.endswith("?") or bool(_QUESTION_WORD.match(rest))


@read_once
def is_request(text: str) -> bool:
    """A sentence that asks for something to be done."""
    rest = content(text)
    if not rest or _INFORMING.match(rest):
        return False
    return bool(_ASKING.match(rest) or _REQUEST_INSIDE.is_in(rest) or _ORDER.match(rest))


def is_command(text: str) -> bool:
    """It tells the agent what to do, or how to do it."""
    return bool(_IMPERATIVE.match(text) or _MANNER.match(text))


def starts_politely(text: str) -> bool:
    """A question in form only: "could you …"."""
    return bool(
        re.match(
            r"(?:can|could|would|will) (?:you|i|we)\b|(?:i|we)\b|please\b",
            content(text),
            re.IGNORECASE,
        )
    )


@read_once
def request_in(text: str) -> str:
    """The first sentence that asks for something to be done, or nothing.

    One with a subject goes before one without ("can you help me with that").
    """
    asked = [part for part in sentences(text) if is_request(part)]
    return next((part for part in asked if len(words(part)) > 1), asked[0] if asked else "")


def requests_in(text: str) -> list[str]:
    """All that a message asks to be done, one by one, if it is more than one thing.

    What is enumerated counts (`check a, restart b and send c`), and so does what a further
    sentence adds in so many words (`Also, …`); other sentences say how the first is meant.
    """
    asked: list[str] = []
    for sentence in sentences(text):
        several = _enumerated(sentence)
        if several:
            asked += several
        elif is_request(sentence) and (not asked or _ADDING.match(sentence)):
            asked.append(sentence)
    asked = asked[:1] + [one for one in asked[1:] if not _NO_WORK.match(one)]
    return asked if len(asked) > 1 and all(len(words(one)) > 1 for one in asked) else []


def _enumerated(sentence: str) -> list[str]:
    """Imperatives in a row, each with something of its own to be done to."""
    rest = _LEAD_OF_LIST.sub("", content(sentence))
    if not _IMPERATIVE.match(rest):
        return []
    parts = [part.strip(" ,;.!?") for part in _BETWEEN_IMPERATIVES.split(rest)]
    own = len(parts) > 1 and not any(_OF_THE_SAME.is_in(part) for part in parts[1:])
    return parts if own and all(_IMPERATIVE.match(part) for part in parts) else []


def is_refining(text: str) -> bool:
    """It asks for the same thing in another way."""
    return _REFINING.is_in(text)


def leads_away(text: str) -> bool:
    """It says by itself that something further is wanted."""
    return _LEADS_AWAY.is_in(text)


def is_lookup(text: str) -> bool:
    """It asks to find out, not to bring about."""
    return _LOOKING.is_in(text) and not _ACTING.is_in(text)


def is_act(text: str) -> bool:
    """It asks to bring something about."""
    return _ACTING.is_in(text)


@read_once
def offer_in(text: str) -> str:
    """What an agent offers to do, or nothing."""
    for sentence in sentences(text):
        found = _OFFER.search(sentence)
        if found and not _ANYTHING_ELSE.is_in(sentence) and not _NO_OFFER.match(found["what"]):
            return found["what"].strip(" ,")
    return ""


@read_once
def asks_anything_else(text: str) -> bool:
    """The agent is free for something new."""
    return _ANYTHING_ELSE.is_in(text)


def asks_for_input(text: str) -> bool:
    """The agent cannot go on before the user answers."""
    return _ASKS_FOR_INPUT.is_in(text)


def agrees(text: str) -> bool:
    """The user says yes to what the agent offered."""
    return bool(_AFFIRMING.match(text)) and not declines(text)


def declines(text: str) -> bool:
    """The user says no, or not now."""
    first = (sentences(text) or ("",))[0]
    return _DECLINING.is_in(first)


def asks_to_confirm(text: str) -> bool:
    """The agent wants a yes before it does what it just told."""
    return _ASKS_TO_CONFIRM.is_in(text)


def revises(text: str) -> bool:
    """It asks for what was delivered, in another form."""
    return _REVISING.is_in(text)


def is_wish_to_be_told(text: str) -> bool:
    """It asks for words about what was done."""
    return bool(_TELLING.match(text))


def gives_up(text: str) -> bool:
    """The user does not want it any more."""
    return _GIVING_UP.is_in(text) or _WITHOUT_AGENT.is_in(text) or scorns(text)


def scorns(text: str) -> bool:
    """The user thinks nothing of what was delivered, or of the agent, and goes without."""
    if thanks_or_praises(text) or is_question(text):
        return False
    if _WITHOUT_AGENT.is_in(text) and _GIVING_UP.is_in(text):
        return True
    return _SCORNFUL.is_in(text) and any(map(_SCORN.is_in, sentences(text)))


def is_aside(text: str) -> bool:
    """The user asks something that is not about the work at hand."""
    return bool(_ASIDE.match(text)) and is_question(text) and not request_in(text)


def asks_before_acting(text: str) -> bool:
    """The agent has not done yet what it asks whether to do."""
    return _BEFORE_ACTING.is_in(last_question(text)) and not reports_done(text)


def complains(text: str) -> bool:
    """The user says that what was delivered is wrong."""
    return any(_COMPLAINT.is_in(content(sentence)) for sentence in sentences(text))


def only_complains(text: str) -> bool:
    """It says that something is wrong, and nothing of how it should be."""
    return bool(_BARE_COMPLAINT.match(text))


def reports_failure(text: str, *, after_error: bool) -> bool:
    """The agent says that it could not do it, and regrets that, or had just met an error."""
    if _LEFT_UNDONE.is_in(text):
        return True
    if not _FAILURE.is_in(text):
        return False
    return _APOLOGY.is_in(text) or (after_error and not last_question(text))


def reports_done(text: str) -> bool:
    """The agent says that it did it."""
    return _DONE.is_in(text)


def goes_on(text: str) -> bool:
    """The agent is not done: it ends with what it is going to do."""
    *before, last = sentences(text) or ("",)
    done = reports_done(text) or any(map(_IS_DONE.is_in, before))
    return _GOING_ON.is_in(last) and not last.endswith("?") and not done


def asks_how_far(text: str) -> bool:
    """The user wants to know how far it is."""
    return _HOW_FAR.is_in(text)


def is_concrete(text: str) -> bool:
    """It tells of a milestone: a URL, a number, a name of something, an error, a finding."""
    return bool(_CONCRETE.search(text)) or reports_done(text)


def is_error(text: str) -> bool:
    """A tool's answer that tells of an error."""
    return bool(_ERROR_RESULT.search(text[:2000] + "\n" + text[-2000:]))


def reads_back(text: str) -> bool:
    """The agent repeats what it understood, to have it confirmed."""
    return _READING_BACK.is_in(text) and not _WANTS_DATA.is_in(text)


def corrects(text: str) -> bool:
    """The user takes something back, and wants something else in its place."""
    return _CORRECTING.is_in(text)


def changes_mind(text: str) -> bool:
    """It asks for something else than before, rather than says how."""
    return _OTHERWISE.is_in(text) and not is_lasting(text)


@read_once
def is_negated(text: str) -> bool:
    """It says that something is not to be."""
    return _NEGATED.is_in(text)


def change_of_mind(text: str) -> str:
    """The sentence that says what else is wanted than before, though it is put as no request."""
    if "?" in text:
        return ""
    return next((one for one in sentences(text) if changes_mind(one) and not _SELF.match(one)), "")


def wishes(text: str) -> list[str]:
    """Cut a text into sentences, and those with several lasting wishes into one each."""
    return [part for sentence in sentences(text) for part in _BETWEEN_WISHES.split(sentence)]


@read_once
def is_lasting(text: str) -> bool:
    """A wish that holds beyond the thing at hand."""
    return _LASTING.is_in(text)


def sets_norm(text: str) -> bool:
    """A remark that says how things are to be, though it is put as no wish."""
    return _MEANING.is_in(text) or (_NORM.is_in(text) and not complains(text))


def shows_done(text: str) -> bool:
    """A tool's plain answer that what was asked is done."""
    return len(text) < 100 and bool(_SUCCEEDED.match(text))


def points_back(text: str) -> bool:
    """It names its subject by pointing at what was said before."""
    return len(words(text)) <= 6 and _POINTING.is_in(text)


def only_points(text: str) -> bool:
    """An order that says nothing without what it points at ("Revert it.")."""
    return is_command(content(text)) and points_back(text) and len(words(text)) <= _TELLING_WORDS


def last_question(text: str) -> str:
    """What the agent says last, if that waits for an answer."""
    said = sentences(text)
    return said[-1] if said and (said[-1].endswith("?") or asks_for_input(said[-1])) else ""


def objects(text: str) -> bool:
    """The user does not want the plan."""
    if _AFFIRMING.match(text):
        return False
    return any(_OBJECTION.is_in(part) for part in (text, content(text)))
