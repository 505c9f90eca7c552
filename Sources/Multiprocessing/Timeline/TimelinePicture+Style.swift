extension TimelinePicture {
    /// Colors and type, for light and dark surroundings.
    static let style = """

        #timeline{--page:#fff;--ink:#1c2430;--soft:#5d6878;--line:#e6e9ee;--rail:#f1f3f6;--in:#fff;--halo:#fff;\
        --bad:#c8332b;--late:#d97706;--gone:#9aa4b2;--fresh:#16855b;--queue:#9db7e8;\
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
        .c0{fill:#4878c8}.c1{fill:#4878c8}.c2{fill:#2f9c8f}.c3{fill:#8a63c9}.c4{fill:#b9862b}\
        .c5{fill:#c2578f}.c6{fill:#5b8f3a}.c7{fill:#3f97bd}.c8{fill:#7a6f63}
        .failed{fill:var(--bad)}.crashed{fill:#8f1d2c}.timedOut{fill:var(--late)}.cancelled{fill:var(--gone)}
        .running{opacity:.6}.page{fill:var(--page)}.rail{fill:var(--rail)}.hatch{fill:var(--gone);opacity:.55}\
        .starting{fill:url(#hatch)}.queue{fill:var(--queue);opacity:.75}
        .grid{stroke:var(--line)}.axis{stroke:var(--gone);stroke-width:.8}
        text{fill:var(--ink);font-size:12px}.title{font-size:19px;font-weight:600}\
        .soft{fill:var(--soft);font-size:13px}.key{fill:var(--soft);font-size:11.5px}\
        .tick{fill:var(--soft);font-size:10.5px;font-variant-numeric:tabular-nums}.lane{font-size:12px}\
        text.in{fill:var(--in);pointer-events:none}
        .halo{fill:var(--halo);opacity:.92}.bad,.late,.again,.fresh{fill:none;stroke-width:1.7;stroke-linecap:round;\
        stroke-linejoin:round}.bad{stroke:var(--bad);stroke-width:2.1}.badfill{fill:var(--bad)}\
        .late{stroke:var(--late)}.again{stroke:#4878c8}.fresh{stroke:var(--fresh)}.freshfill{fill:var(--fresh)}
        @media(prefers-color-scheme:dark){#timeline{--page:#14181f;--ink:#e4e8ef;--soft:#97a3b4;--line:#262d38;\
        --rail:#1f2630;--in:#0e1218;--halo:#14181f;--bad:#f0655c;--late:#f2a03d;--gone:#5e6a7a;--fresh:#3fc28c;\
        --queue:#3e5f9e}.c0,.c1{fill:#7ba4ea}.c2{fill:#55c0b2}.c3{fill:#b08ff0}.c4{fill:#dcae58}.c5{fill:#e486b6}\
        .c6{fill:#8cc069}.c7{fill:#6bbfe2}.c8{fill:#a89c8e}.crashed{fill:#d8485c}.again{stroke:#7ba4ea}}

        """
}
