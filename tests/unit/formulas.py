r"""Formulas and what they mean: the corpus by which the converter was chosen and is judged at each change.

The meaning is written as a tree: `frac(a, b)`, `stack(n, k)` for a fraction without a line, `sup(x, 2)`; a row of
several things stands in `[…]`, `under` and `over` are limits below and above, `{left|…}` is a cell with its classes.
"""

import re
from html import unescape

_PIECE = re.compile(r"<(/?)(\w+)([^>]*)>|([^<]+)")
_INVISIBLE = dict.fromkeys(map(ord, "\u2061\u2063\ufe00\ufe01"))
_PLAIN = {"math", "mi", "mn", "mo"}


def meaning(mathml: str) -> str:
    """A `<math>` element as a tree in one line."""
    stack: list[tuple[str, str, list[str]]] = [("", "", [])]
    for closing, tag, attributes, text in _PIECE.findall(mathml):
        if text:
            stack[-1][2].append(unescape(text).translate(_INVISIBLE).replace("\u00a0", "␣"))
        elif not closing:
            kind = re.search('class="([^"]*)"', attributes)
            name = "mstack" if 'linethickness="0"' in attributes else tag
            stack.append((name, kind[1] if kind else "", []))
        else:
            done = _written(*stack.pop())
            stack[-1][2].append(done)
    return "".join(stack[0][2])


def _written(tag: str, kind: str, inside: list[str]) -> str:
    inside = [part for part in inside if part]
    joined = " ".join(inside)
    label = f"{kind.replace(' ', '+')}|" if kind else ""
    if tag in _PLAIN:
        return joined
    if tag == "mspace":
        return ""
    if tag == "mtext":
        return f'"{label}{joined}"'
    if tag == "mrow":
        return f"[{label}{joined}]" if len(inside) > 1 or label else joined
    if tag == "mtd":
        return f"{{{label}{joined}}}"
    if tag == "msqrt":
        return f"sqrt({joined})"
    return f"{tag[1:]}({', '.join(inside)})"


KNOWN = [
    ("x", "x"),
    ("x^2", "sup(x, 2)"),
    ("x_1", "sub(x, 1)"),
    ("x_i^2", "subsup(x, i, 2)"),
    ("x^{10}", "sup(x, 10)"),
    ("a_{ij}", "sub(a, [i j])"),
    ("x'", "sup(x, ′)"),
    ("f''(x)", "sup(f, ″) ( x )"),
    ("{a}^{b^c}", "sup(a, sup(b, c))"),
    (r"a+b-c \cdot d \times e \div f", "a + b − c ⋅ d × e ÷ f"),
    ("-x", "− x"),
    ("a = -b", "a = − b"),
    (r"\frac{1}{2}", "frac(1, 2)"),
    (r"\frac12", "frac(1, 2)"),
    (r"\frac{a+b}{\frac{c}{d}}", "frac([a + b], frac(c, d))"),
    (r"\dfrac{a}{b}+\tfrac{c}{d}", "frac(a, b) + frac(c, d)"),
    (r"\binom{n}{k}", "[( stack(n, k) )]"),
    (r"\sqrt{x}", "sqrt(x)"),
    (r"\sqrt[3]{x+1}", "root([x + 1], 3)"),
    (r"\sqrt 2", "sqrt(2)"),
    (r"\sum_{i=1}^{n} i", "underover(∑, [i = 1], n) i"),
    (
        r"\sum_{i=1}^n i^2 = \frac{n(n+1)(2n+1)}{6}",
        "underover(∑, [i = 1], n) sup(i, 2) = frac([n ( n + 1 ) ( 2 n + 1 )], 6)",
    ),
    (r"\prod_{k=1}^\infty a_k", "underover(∏, [k = 1], ∞) sub(a, k)"),
    (r"\int_0^1 x^2 \, dx", "subsup(∫, 0, 1) sup(x, 2) d x"),
    (r"\int_{-\infty}^{\infty} e^{-x^2} dx = \sqrt{\pi}", "subsup(∫, [− ∞], ∞) sup(e, [− sup(x, 2)]) d x = sqrt(π)"),
    (r"\iint_D f \, dA", "sub(∬, D) f d A"),
    (r"\oint_C \mathbf{F} \cdot d\mathbf{r}", "sub(∮, C) 𝐅 ⋅ d 𝐫"),
    (r"\lim_{x \to 0} \frac{\sin x}{x} = 1", "[under(lim, [x → 0]) frac([sin x], x)] = 1"),
    (r"\max_{x \in X} f(x)", "[under(max, [x ∈ X]) f] ( x )"),
    (r"\sup_n a_n", "[under(sup, n) sub(a, n)]"),
    (r"\limsup_{n\to\infty} a_n", "[under(lim\u2009sup, [n → ∞]) sub(a, n)]"),
    (
        r"\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \iota \kappa \lambda "
        r"\mu \nu \xi \pi \rho \sigma \tau \upsilon \phi \varphi \chi \psi \omega",
        "α β γ δ ϵ ε ζ η θ ϑ ι κ λ μ ν ξ π ρ σ τ υ ϕ φ χ ψ ω",
    ),
    (r"\Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Upsilon \Phi \Psi \Omega", "Γ Δ Θ Λ Ξ Π Σ Υ Φ Ψ Ω"),
    (
        r"\hat{x} \bar{x} \vec{x} \dot{x} \ddot{x} \tilde{x} \check{x}",
        "over(x, ˆ) over(x, ¯) over(x, →) over(x, ˙) over(x, ¨) over(x, ˜) over(x, ˇ)",
    ),
    (
        r"\widehat{abc} \overline{ab} \underline{ab} \widetilde{xyz}",
        "over([a b c], ̂) [overline|[a b]] [underline|[a b]] over([x y z], ~)",
    ),
    (r"\overrightarrow{AB}", "over([A B], →)"),
    (r"\overbrace{a+b}^{n} \underbrace{c+d}_{m}", "over(over([a + b], ⏞), n) under(under([c + d], ⏟), m)"),
    (r"\left( \frac{a}{b} \right)", "[( frac(a, b) )]"),
    (r"\left[ x \right)", "[[ x )]"),
    (r"\left\{ x \mid x > 0 \right\}", "[{ x ∣ x > 0 }]"),
    (r"\left. \frac{df}{dx} \right|_{x=0}", "sub([frac([d f], [d x]) |], [x = 0])"),
    (r"\left\langle a, b \right\rangle", "[⟨ a , b ⟩]"),
    (r"\lfloor x \rfloor \lceil y \rceil", "⌊ x ⌋ ⌈ y ⌉"),
    (r"\| v \|", "‖ v ‖"),
    ("|x|", "| x |"),
    (r"\mathbb{R} \mathbb{N} \mathbb{Z} \mathbb{Q} \mathbb{C}", "ℝ ℕ ℤ ℚ ℂ"),
    (r"\mathcal{L} \mathfrak{g} \mathscr{F}", "ℒ 𝔤 ℱ"),
    (r"\mathrm{d}x \mathbf{v} \mathit{ab} \mathsf{T} \mathtt{x}", "d x 𝐯 𝑎𝑏 𝖳 𝚡"),
    (r"\boldsymbol{\beta}", "𝜷"),
    (r"x = 5 \text{ if } y > 0", 'x = 5 "␣if␣" y > 0'),
    (r"\text{rate} = \frac{\text{distance}}{\text{time}}", '"rate" = frac("distance", "time")'),
    (r"\operatorname{argmax}_\theta L(\theta)", "[sub(argmax, θ) L] ( θ )"),
    (r"\operatorname*{argmax}_{x} f(x)", "[under(argmax, x) f] ( x )"),
    (r"\begin{matrix} a & b \\ c & d \end{matrix}", "table(tr({a}, {b}), tr({c}, {d}))"),
    (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "[( table(tr({a}, {b}), tr({c}, {d})) )]"),
    (
        r"\begin{bmatrix} 1 & 0 & \cdots & 0 \\ 0 & 1 & \cdots & 0 \\ \vdots & \vdots & \ddots & \vdots \\ 0 "
        r"& 0 & \cdots & 1 \end{bmatrix}",
        "[[ table(tr({1}, {0}, {⋯}, {0}), tr({0}, {1}, {⋯}, {0}), tr({⋮}, {⋮}, {⋱}, {⋮}), tr({0}, {0}, {⋯}, "
        "{1})) ]]",
    ),
    (
        r"\begin{vmatrix} a & b \\ c & d \end{vmatrix} = ad - bc",
        "[| table(tr({a}, {b}), tr({c}, {d})) |] = a d − b c",
    ),
    (
        r"\begin{cases} x^2 & \text{if } x \ge 0 \\ -x & \text{otherwise} \end{cases}",
        '[{ table(tr({left+flush-right|sup(x, 2)}, {left+flush-right+wide|"if␣" x ≥ 0}), '
        'tr({left+flush-right|− x}, {left+flush-right+wide|"otherwise"}))]',
    ),
    (
        r"f(n) = \begin{cases} 1 & n = 0 \\ n \cdot f(n-1) & n > 0 \end{cases}",
        "f ( n ) = [{ table(tr({left+flush-right|1}, {left+flush-right+wide|n = 0}), tr({left+flush-right|n "
        "⋅ f ( n − 1 )}, {left+flush-right+wide|n > 0}))]",
    ),
    (
        r"\begin{aligned} a &= b + c \\ &= d \end{aligned}",
        "table(tr({right+flush-right|a}, {left+flush-left|= b + c}), tr({right+flush-right|}, "
        "{left+flush-left|= d}))",
    ),
    (
        r"\begin{align} x &= 1 \\ y &= 2 \end{align}",
        "table(tr({right+flush-right|x}, {left+flush-left|= 1}), tr({right+flush-right|y}, "
        "{left+flush-left|= 2}))",
    ),
    (
        r"\begin{align*} x &= 1 \\ y &= 2 \end{align*}",
        "table(tr({right+flush-right|x}, {left+flush-left|= 1}), tr({right+flush-right|y}, "
        "{left+flush-left|= 2}))",
    ),
    (r"\begin{array}{cc} a & b \\ c & d \end{array}", "table(tr({a}, {b}), tr({c}, {d}))"),
    (
        r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}",
        "table(tr({line-right|a}, {b}), tr({line-top+line-right|c}, {line-top|d}))",
    ),
    (
        r"\left[\begin{array}{cc|c} 1 & 2 & 3 \\ 4 & 5 & 6 \end{array}\right]",
        "[[ table(tr({1}, {line-right|2}, {3}), tr({4}, {line-right|5}, {6})) ]]",
    ),
    (r"\begin{gathered} a = b \\ c = d \end{gathered}", "table(tr({a = b}), tr({c = d}))"),
    (r"\begin{equation} E = mc^2 \end{equation}", "E = m sup(c, 2)"),
    (
        r"\begin{split} a &= b \\ &= c \end{split}",
        "table(tr({right+flush-right|a}, {left+flush-left|= b}), tr({right+flush-right|}, {left+flush-left|= "
        "c}))",
    ),
    (
        r"a \le b \leq c \ge d \geq e \ne f \neq g \approx h \equiv i \sim j \propto k",
        "a ≤ b ≤ c ≥ d ≥ e ≠ f ≠ g ≈ h ≡ i ∼ j ∝ k",
    ),
    (
        r"a \to b \rightarrow c \Rightarrow d \implies e \iff f \leftrightarrow g \mapsto h \gets i",
        "a → b → c ⇒ d ⟹ e ⟺ f ↔ g ↦ h ← i",
    ),
    (
        r"A \cup B \cap C \setminus D \subset E \subseteq F \in G \notin H \emptyset",
        "A ∪ B ∩ C ∖ D ⊂ E ⊆ F ∈ G ∉ H ∅",
    ),
    (r"\forall x \exists y \neg p \land q \lor r", "∀ x ∃ y ¬ p ∧ q ∨ r"),
    (r"\nabla \times \mathbf{E} = -\frac{\partial \mathbf{B}}{\partial t}", "∇ × 𝐄 = − frac([∂ 𝐁], [∂ t])"),
    (r"\infty \pm \mp \cdot \cdots \ldots \vdots \ddots \dots", "∞ ± ∓ ⋅ ⋯ . . . ⋮ ⋱ . . ."),
    (r"a \pmod{n}", "a ( mod n )"),
    (r"a \bmod n", "a mod n"),
    (r"a \quad b \qquad c \, d \; e \: f \! g", "a b c d e f g"),
    (r"\sin^2 \theta + \cos^2 \theta = 1", "[sup(sin, 2) θ] + [sup(cos, 2) θ] = 1"),
    (r"\log_2 n \ln x \exp(x)", "[sub(log, 2) n] [ln x] [exp [( x )]]"),
    (r"P(A \mid B) = \frac{P(B \mid A) P(A)}{P(B)}", "P ( A ∣ B ) = frac([P ( B ∣ A ) P ( A )], [P ( B )])"),
    (r"\xrightarrow{f} \xleftarrow[g]{h}", "over(→, over(f)) underover(←, under(g), over(h))"),
    (r"\overset{!}{=} \underset{x}{\min} \stackrel{def}{=}", "over(=, !) under(min, x) over(=, [d e f])"),
    (r"\boxed{E = mc^2}", "[boxed|[E = m sup(c, 2)]]"),
    (r"\cancel{x}", "[cancel|x]"),
    (r"\not= \not\in", "≠ ∉"),
    (r"5\% \$10 \& \# \_", "5 % $ 10 & # _"),
    (r"10^{-3}\,\mathrm{m}", "sup(10, [− 3]) m"),
    ("n!", "n !"),
    (r"\sum_{\substack{0\le i\le m\\0<j<n}} P(i,j)", "under(∑, table(tr({0 ≤ i ≤ m}), tr({0 < j < n}))) P ( i , j )"),
    (r"\left( \begin{array}{c} a \\ b \end{array} \right]", "[( table(tr({a}), tr({b})) ]]"),
    (r"\ddot{\vec{x}}", "over(over(x, →), ¨)"),
    (r"\hbar \ell \Re \Im \aleph \wp", "ℏ ℓ ℜ ℑ ℵ ℘"),
    (r"\langle \psi | \phi \rangle", "⟨ ψ | ϕ ⟩"),
    (r"\bra{x}", "⟨ x |"),
    (r"\dfrac{\mathrm{d}y}{\mathrm{d}x}", "frac([d y], [d x])"),
    (
        r"\left(\sum_{k=1}^n a_k b_k\right)^2 \leq \left(\sum_{k=1}^n a_k^2\right) \left(\sum_{k=1}^n "
        r"b_k^2\right)",
        "sup([( underover(∑, [k = 1], n) sub(a, k) sub(b, k) )], 2) ≤ [( underover(∑, [k = 1], n) subsup(a, "
        "k, 2) )] [( underover(∑, [k = 1], n) subsup(b, k, 2) )]",
    ),
    (
        r"x_{1,2} = \frac{-b \pm \sqrt{b^2-4ac}}{2a}",
        "sub(x, [1 , 2]) = frac([− b ± sqrt([sup(b, 2) − 4 a c])], [2 a])",
    ),
    (r"e^{i\pi} + 1 = 0", "sup(e, [i π]) + 1 = 0"),
    (r"{n \choose k}", "[( stack(n, k) )]"),
    (r"a \over b", "frac(a, b)"),
    (r"{a \over b}", "frac(a, b)"),
    (r"\displaystyle \sum_{i} x", "[under(∑, i) x]"),
    (r"\mathbf{A}^{-1}", "sup(𝐀, [− 1])"),
    (r"\mathbf{A}^\top", "sup(𝐀, ⊤)"),
    (r"\hat{\boldsymbol{\theta}}", "over(𝜽, ˆ)"),
    (r"\therefore \because", "∴ ∵"),
    (r"\iiint_V", "sub(∭, V)"),
    (r"\phantom{x} y", "phantom(x) y"),
    (r"\begin{smallmatrix} a & b \\ c & d \end{smallmatrix}", "table(tr({a}, {b}), tr({c}, {d}))"),
    (r"a \\ b", "table(tr({a}), tr({b}))"),
    (r"\left\lVert x \right\rVert", "[‖ x ‖]"),
    (r"\lVert x \rVert_2", "‖ x sub(‖, 2)"),
    (r"\left( a \middle| b \right)", "[( a | b )]"),
    (r"{\rm d}x", "d x"),
    (r"\overline{z_1 + z_2}", "[overline|[sub(z, 1) + sub(z, 2)]]"),
    (r"\underbrace{1+\cdots+1}_{n\text{ times}}", 'under(under([1 + ⋯ + 1], ⏟), [n "␣times"])'),
    (
        r"\begin{pmatrix} \cos\theta & -\sin\theta \\[2pt] \sin\theta & \cos\theta \end{pmatrix}",
        "[( table(tr({cos θ}, {− sin θ}), tr({sin θ}, {cos θ})) )]",
    ),
    (r"\text{für } ä ö ü", '"für␣" ä ö ü'),
    (r"\text{السرعة} = \frac{d}{t}", '"السرعة" = frac(d, t)'),
    ("速度 = x", "速 度 = x"),
    ("x < y > z", "x < y > z"),
    (r"\lt \gt", "< >"),
    (r"\degree", "°"),
    (r"90^\circ", "sup(90, ∘)"),
    (r"\Pr(X=1)", "[Pr [( X = 1 )]]"),
    (r"\mathbb{E}[X] = \mathbb{1}_{A}", "𝔼 [ X ] = sub(𝟙, A)"),
    (r"\vec{AB} \cdot \overrightarrow{CD}", "over([A B], →) ⋅ over([C D], →)"),
    (r"\mathrm{CO_2}", "sub(CO, 2)"),
    (r"\mathrm{H_2O}", "[sub(H, 2) O]"),
    (r"\text{50\%}", '"50%"'),
    (r"\textbf{bold} \textit{it}", '"bold|bold" "italic|it"'),
    (r"\label{eq:1} x", "x"),
    (r"\bigcup_{i=1}^n A_i \bigcap_j B_j \bigoplus", "underover(⋃, [i = 1], n) sub(A, i) under(⋂, j) sub(B, j) ⨁"),
    (r"\coprod", "∐"),
    (r"\triangle ABC \angle \perp \parallel", "△ A B C ∠ ⟂ ∥"),
    (r"\square", "□"),
    (r"\hookrightarrow \twoheadrightarrow \longrightarrow \Longrightarrow", "↪ ↠ ⟶ ⟹"),
    (r"\star \ast \circ \bullet \oplus \otimes \dagger", "⋆ ∗ ∘ ∙ ⊕ ⊗ †"),
    (r"\varnothing", "∅"),
    (
        r"\begin{aligned}[t] a &= b \\[2pt] c &= d \\ \end{aligned}",
        "table(tr({right+flush-right|a}, {left+flush-left|= b}), tr({right+flush-right|c}, "
        "{left+flush-left|= d}))",
    ),
    (r"\left<x\right>", "[⟨ x ⟩]"),
    (r"x \tag{1}", 'x "(1)"'),
    (
        r"\begin{dcases} \frac12 & a \\ b & c \end{dcases}",
        "[{ table(tr({left+flush-right|frac(1, 2)}, {left+flush-right+wide|a}), tr({left+flush-right|b}, "
        "{left+flush-right+wide|c}))]",
    ),
    (r"\textbf{v}", '"bold|v"'),
    ("a := b", "a : = b"),
    ("x'^2", "sup(x, [′ 2])"),
    (r"\ket{\psi} = \alpha\ket{0}", "| ψ ⟩ = α | 0 ⟩"),
    (r"\sum\nolimits_i x", "sub(∑, i) x"),
    (r"\begin{array}{lcr} a & b & c \end{array}", "table(tr({left|a}, {b}, {right|c}))"),
    (r"\begin{gather} a \\ b \end{gather}", "table(tr({a}), tr({b}))"),
    (
        r"a &= b \\ c &= d",
        "table(tr({right+flush-right|a}, {left+flush-left|= b}), tr({right+flush-right|c}, "
        "{left+flush-left|= d}))",
    ),
    (r"\overline{a + \underline{b}}", "[overline|[a + [underline|b]]]"),
    (r"\operatorname{Var}(X)", "[Var [( X )]]"),
    (r"\int\limits_0^1 x", "underover(∫, 0, 1) x"),
    (r"x \notag", "x"),
]  # fmt: skip
"""LaTeX, and what it means."""

UNKNOWN = [
    r"\substack\hline x",
    r"\frac{1}",
    r"\frac{1}{",
    '{',
    '}',
    'x^',
    'x_',
    'x^2^3',
    'x_1_2',
    r"\left( x",
    r"x \right)",
    r"\left x",
    r"\begin{pmatrix} a",
    r"\end{pmatrix}",
    r"\begin{pmatrix} a \end{bmatrix}",
    r"\begin{}",
    r"\begin",
    r"\sqrt",
    r"\sqrt[3]",
    r"\sqrt[3",
    r"\foo",
    r"\foo{x}",
    '\\',
    r"\text",
    r"\text{",
    r"\text{a",
    'x}{y',
    r"\hat",
    r"\left<",
    '#',
    '$',
    '%',
    r"\def\a{b}\a",
    r"\newcommand{\x}{y}\x",
    r"\input{/etc/passwd}",
    r"\href{javascript:alert(1)}{x}",
    r"\url{x}",
    r"\class{a}{b}",
    r"\style{color:red}{b}",
    r"\html{<b>}",
    r"\htmlClass{a}{b}",
    '&lt;',
    r"\includegraphics{x}",
    '\\color{"><script>}x',
    '\\hspace{"><script>}x',
    '\\begin{array}{"><script>}x\\end{array}',
    r"\begin{array}{ccccc",
    r"a \over b \over c",
    r"\limits",
    r"\nolimits x",
    r"\left\foo x \right.",
    r"\unknown_1",
    r"\kern1em",
    r"x \hline",
    r"\begin{cases} a \end{cases",
    r"\mathbb",
    r"\mathbb{",
    r"\not",
    '\u202e',
    '\x00',
    r"\binom{n}",
    r"\overset{a}",
    r"\substack",
    r"\ce{H2O}",
    r"\color{red}{x}",
    r"\genfrac{}{}{0pt}{}{a}{b}",
    r"\hspace{1em} x",
    r"\mathop{\rm arg\,max}",
    r"\require{cancel} x",
    r"\sideset{}{'}\sum",
    r"\textcolor{red}{x}",
    r"\text{a $x^2$ b}",
    r"\text{a_b}",
    r"\unicode{x41}",
    '50% of x',
    'a &lt; b',
    r"\bcancel{x}",
    r"x^{2}\'",
    r"\surd",
]  # fmt: skip
"""Broken, hostile, or not known to come out right: shown as it was written."""
