"""The LaTeX commands a formula may use: a closed list. Whatever is not on it is shown as it was written. Data only.

Each symbol was compared with a second, independent table of names and characters before it came here.
"""

_SYMBOLS = """
    aleph alpha angle approx approxeq ast asymp backprime backsim backsimeq backslash barwedge Bbbk because beta
    beth between bigcap bigcirc bigcup bigodot bigoplus bigotimes bigsqcap bigsqcup bigstar bigtriangledown
    bigtriangleup biguplus bigvee bigwedge blacklozenge blacksquare blacktriangle blacktriangledown
    blacktriangleleft blacktriangleright bot bowtie Box boxdot boxminus boxplus boxtimes bullet Bumpeq bumpeq
    Cap cap cdot cdots checkmark chi circ circeq circlearrowleft circlearrowright circledast circledcirc
    circleddash circledR circledS clubsuit coloneq Coloneqq coloneqq complement cong coprod Cup cup curlyeqprec
    curlyeqsucc curlyvee curlywedge curvearrowleft curvearrowright dagger daleth dashleftarrow dashrightarrow
    dashv ddagger ddots degree Delta delta Diamond diamond diamondsuit digamma div divideontimes Doteq doteq
    doteqdot dotplus dots doublebarwedge Downarrow downarrow downdownarrows downharpoonleft downharpoonright ell
    emptyset epsilon eqcirc eqcolon eqqcolon eqsim eqslantgtr eqslantless equiv eta eth exists fallingdotseq
    fint Finv flat forall frown Game Gamma gamma ge geq geqq geqslant gets gg ggg gggtr gimel gnapprox gneq
    gneqq gnsim gt gtrapprox gtrdot gtreqless gtreqqless gtrless gtrsim hbar heartsuit hookleftarrow
    hookrightarrow hslash iddots iiiint iiint iint Im imath impliedby implies in inf infty int intercal iota
    jmath kappa Lambda lambda land langle lbrace lbrack lceil ldots le leadsto Leftarrow leftarrow leftarrowtail
    leftharpoondown leftharpoonup leftleftarrows Leftrightarrow leftrightarrow leftrightarrows leftrightharpoons
    leftrightsquigarrow leftthreetimes leq leqq leqslant lessapprox lessdot lesseqgtr lesseqqgtr lessgtr lesssim
    lfloor lhd lim ll llbracket llcorner Lleftarrow lll llless lnapprox lneq lneqq lnot lnsim Longleftarrow
    longleftarrow Longleftrightarrow longleftrightarrow longmapsto Longrightarrow longrightarrow looparrowleft
    looparrowright lor lozenge lrcorner Lsh lt ltimes lVert lvert mapsto max measuredangle mho mid min models mp
    mu multimap nabla natural ncong ne nearrow neg neq nexists ngeq ngeqq ngeqslant ngtr ngtrless ni nLeftarrow
    nleftarrow nLeftrightarrow nleftrightarrow nleq nleqq nleqslant nless nmid notin notni nparallel nprec
    npreceq nRightarrow nrightarrow nsim nsubseteq nsubseteqq nsucc nsucceq nsupseteq nsupseteqq ntriangleleft
    ntrianglelefteq ntriangleright ntrianglerighteq nu nVDash nVdash nvDash nvdash nwarrow odot oiiint oiint
    oint Omega omega ominus oplus oslash otimes owns P parallel partial perp Phi phi Pi pi pitchfork pm pounds
    prec precapprox preccurlyeq preceq precnapprox precneqq precnsim precsim prime prod propto Psi psi rangle
    rbrace rbrack rceil Re rfloor rhd rho Rightarrow rightarrow rightarrowtail rightharpoondown rightharpoonup
    rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow rightthreetimes risingdotseq rrbracket
    Rrightarrow Rsh rtimes rVert rvert S searrow setminus sharp Sigma sigma sim simeq smile spadesuit
    sphericalangle sqcap sqcup sqsubset sqsubseteq sqsupset sqsupseteq square star Subset subset subseteq
    subseteqq subsetneq subsetneqq succ succapprox succcurlyeq succeq succnapprox succneqq succnsim succsim sum
    sup Supset supset supseteq supseteqq supsetneq supsetneqq swarrow tau therefore Theta theta times to top
    triangle triangledown triangleleft trianglelefteq triangleq triangleright trianglerighteq twoheadleftarrow
    twoheadrightarrow ulcorner Uparrow uparrow Updownarrow updownarrow upharpoonleft upharpoonright uplus
    Upsilon upsilon upuparrows urcorner varDelta varepsilon varGamma varkappa varLambda varnothing varOmega
    varPhi varphi varPi varpi varPsi varrho varSigma varsigma varTheta vartheta vartriangle vartriangleleft
    vartriangleright varUpsilon varXi VDash Vdash vDash vdash vdots vee veebar Vert vert Vvdash wedge wp Xi xi
    yen zeta
"""
_FUNCTIONS = """
    arccos arcsin arctan arg argmax argmin bmod cdotp colon cos cosh cot coth csc deg det dim exp gcd hom iff
    inf ker ldotp lg lim liminf limits limsup ln log max min nolimits Pr sec sin sinh sup tan tanh
"""
_WITH_ARGUMENTS = """
    acute bar binom bm boldsymbol boxed bra braket breve cancel cfrac check dbinom ddot dfrac dot frac grave hat
    hbox ket mathbb mathbf mathcal mathfrak mathit mathring mathrm mathscr mathsf mathtt mbox not operatorname
    operatorname* overbrace overleftarrow overleftrightarrow overline overrightarrow overset phantom pmod sqrt
    stackrel substack tbinom text textbf textit textnormal textrm tfrac tilde underbrace underline underset vec
    widehat widetilde xleftarrow xrightarrow
"""
_OTHERS = """
    bf Big big Bigg bigg Biggl biggl Biggr biggr Bigl bigl Bigm bigm Bigr bigr choose displaystyle hdashline
    hline it left mathstrut medspace middle over qquad quad right rm scriptscriptstyle scriptstyle textstyle
    thickspace thinspace
"""

SYMBOLS = frozenset(_SYMBOLS.split())
FUNCTIONS = frozenset(_FUNCTIONS.split())
WITH_ARGUMENTS = frozenset(_WITH_ARGUMENTS.split())
"""Those that take what follows as an argument, also without braces around it."""
OTHERS = frozenset(_OTHERS.split())
CHARACTERS = frozenset(" ,;:!|{}%$&#_")  # after a backslash

OTHER_NAMES = {
    "dotsb": "cdots",
    "dotsc": "ldots",
    "dotsi": "cdots",
    "dotsm": "cdots",
    "dotso": "ldots",
    "hbox": "text",
    "mbox": "text",
    "overline": "bcancel",
    "textnormal": "text",
    "textrm": "text",
    "underline": "xcancel",
}
"""Commands that the converter does not know under this name; and two that it makes of characters which few fonts can
stretch: what is made of those that stand in for them, a style sheet draws as lines."""

COMMANDS = SYMBOLS | FUNCTIONS | WITH_ARGUMENTS | OTHERS | CHARACTERS | OTHER_NAMES.keys()

_KNOWN = """
    array aligned bmatrix Bmatrix cases dcases gathered matrix pmatrix rcases subarray vmatrix Vmatrix
"""
ENVIRONMENTS = {
    **{name: name for name in _KNOWN.split()},
    **dict.fromkeys(("align", "align*", "split", "flalign", "flalign*"), "aligned"),
    **dict.fromkeys(("gather", "gather*", "multline", "multline*"), "gathered"),
    **dict.fromkeys(("equation", "equation*", "displaymath", "math"), ""),
    "smallmatrix": "matrix",
}
"""Environments and what stands for them: numbers of equations would mean nothing here. "" for none at all."""
