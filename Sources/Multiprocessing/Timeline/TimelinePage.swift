/// The picture on a page that enlarges it: wheel or pinch around the pointer, drag to move, double click for all of it.
///
/// On a narrow screen it keeps a size at which it can be read, and is scrolled; touches are left to the browser.
struct TimelinePage {
    private let recording: Recording

    init(_ recording: Recording) {
        self.recording = recording
    }

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark"><title>Workers over time</title>
        <style>html{background:#fff}body{margin:0 auto;max-width:1700px}\
        div{overflow-x:auto}\
        #timeline{display:block;width:100%;min-width:1000px;height:auto;cursor:grab;user-select:none}\
        #timeline.moving{cursor:grabbing}p{font:12px system-ui,sans-serif;color:#5d6878;margin:4px 24px 16px}\
        @media(prefers-color-scheme:dark){html{background:#14181f}p{color:#97a3b4}}</style></head><body>
        <div>\(TimelinePicture(recording, isInteractive: true).svg)</div>\
        <p>Wheel: larger and smaller. Drag: move. Double click: everything. Rest on something to read what it is.</p>
        <script>
        const left=\(Markup.number(TimelinePicture.left)),width=\(Markup.number(TimelinePicture.plotWidth)),\
        length=\(max(1, recording.end)),apart=\(Markup.number(TimelinePicture.markDistance));
        \(Self.script)</script></body></html>

        """
    }

    /// The window on the plot is `from` … `to`, in the plot's own units.
    private static let script = """
        const svg=document.getElementById('timeline'),plots=[...svg.querySelectorAll('.plot')],
        marks=[...svg.querySelectorAll('#marks>g')],texts=[...svg.querySelectorAll('#texts>text')],
        ticks=document.getElementById('ticks'),first=ticks.querySelector('path').getAttribute('d').match(/ ([\\d.]+)V([\\d.]+)/);
        let from=0,to=width;
        const at=x=>left+(x-from)/(to-from)*width;
        function label(t,step){
          if(t===0)return '0';
          if(step>=3e10){const s=Math.round(t/1e9);return Math.floor(s/60)+':'+String(s%60).padStart(2,'0')+' min'}
          const [u,n]=step>=1e8?[1e9,'s']:step>=1e5?[1e6,'ms']:step>=100?[1e3,'µs']:[1,'ns'];
          return +(t/u).toFixed(3)+' '+n}
        function draw(){
          for(const p of plots){const b=p.getAttribute('viewBox').split(' ');
            p.setAttribute('viewBox',from+' 0 '+(to-from)+' '+b[3])}
          const last={};
          for(const m of marks){const x=+m.dataset.x,k=m.dataset.k,d=at(x)-apart;
            if(x<from||x>to||last[k]>d){m.style.display='none';continue}
            last[k]=at(x);m.style.display='';
            m.setAttribute('transform','translate('+at(x)+' '+m.dataset.y+') scale('+m.dataset.s+')')}
          for(const t of texts){const x=+t.dataset.x,e=x+ +t.dataset.w,l=Math.max(left,at(x)),
              r=Math.min(left+width,at(e)),room=Math.floor((r-l-10)/6.2),s=t.dataset.t;
            if(room<3||(room<6&&s.length>room)){t.style.display='none';continue}
            t.style.display='';t.setAttribute('x',l+5);
            t.textContent=s.length>room?s.slice(0,room-1)+'…':s}
          const a=from/width*length,z=to/width*length;
          let step=1;for(;;){const f=[1,2,5].find(f=>f*step*9>=z-a);if(f){step*=f;break}step*=10}
          let out='';
          for(let t=Math.ceil(a/step)*step;t<=z;t+=step){const x=at(t/length*width),
              k=x<left+15?'start':x>left+width-20?'end':'middle';
            out+='<path class="grid" d="M'+x+' '+first[1]+'V'+first[2]+'"/><text class="tick" x="'+x+'" y="'+
              (+first[2]+18)+'" text-anchor="'+k+'">'+label(t,step)+'</text>'}
          ticks.innerHTML=out}
        function limit(f,t){const w=Math.min(width,Math.max(width/20000,t-f));f=Math.max(0,Math.min(width-w,f));
          from=f;to=f+w;draw()}
        const where=e=>{const b=svg.getBoundingClientRect();
          return from+((e.clientX-b.left)*svg.viewBox.baseVal.width/b.width-left)/width*(to-from)};
        svg.addEventListener('wheel',e=>{e.preventDefault();
          if(Math.abs(e.deltaX)>Math.abs(e.deltaY)){const d=e.deltaX/width*(to-from);return limit(from+d,to+d)}
          const x=where(e),k=Math.exp(e.deltaY*.002);limit(x-(x-from)*k,x+(to-x)*k)},{passive:false});
        let hold=null;
        svg.addEventListener('pointerdown',e=>{if(e.pointerType==='touch')return;hold=where(e);svg.classList.add('moving');svg.setPointerCapture(e.pointerId)});
        svg.addEventListener('pointermove',e=>{if(hold===null)return;const d=hold-where(e),w=to-from;
          const f=Math.max(0,Math.min(width-w,from+d));limit(f,f+w)});
        for(const n of ['pointerup','pointercancel'])svg.addEventListener(n,()=>{hold=null;svg.classList.remove('moving')});
        svg.addEventListener('dblclick',()=>limit(0,width));
        draw();

        """
}
