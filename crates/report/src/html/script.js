(() => {
'use strict';
const d = document, STEP = 40, KEYS = ['subject', 'persona', 'task', 'outcome', 'cwe'];
const all = (query, root = d) => [...root.querySelectorAll(query)];
d.documentElement.classList.add('js');
const TOKEN = {
  hash: /(#.*|"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\b(def|class|return|if|elif|else|for|while|in|not|and|or|is|import|from|as|with|try|except|finally|raise|lambda|yield|async|await|pass|None|True|False)\b/g,
  slash: /(\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\b(function|const|let|var|return|if|else|for|while|switch|case|new|class|import|export|from|try|catch|finally|throw|async|await|func|fn|use|pub|struct|static|void|int|char|public|private|null|nil|true|false)\b/g,
};
const colour = pre => {
  const walk = d.createTreeWalker(pre, NodeFilter.SHOW_TEXT), nodes = [];
  while (walk.nextNode()) nodes.push(walk.currentNode);
  for (const node of nodes) {
    const text = node.data, out = d.createDocumentFragment();
    let at = 0;
    for (const m of text.matchAll(TOKEN[pre.dataset.l] ?? TOKEN.slash)) {
      const i = d.createElement('i');
      i.className = m[2] ? 'kw' : /^["'`]/.test(m[0]) ? 'str' : 'com';
      i.textContent = m[0];
      out.append(text.slice(at, m.index), i);
      at = m.index + m[0].length;
    }
    if (at) { out.append(text.slice(at)); node.replaceWith(out); }
  }
};
const fill = card => {
  for (const slot of all('[data-f]', card)) {
    const text = d.getElementById(slot.dataset.f);
    if (text) slot.replaceChildren(...[...text.childNodes].map(node => node.cloneNode(true)));
    delete slot.dataset.f;
    all('pre.c', slot).forEach(colour);
  }
};
d.addEventListener('toggle', event => { if (event.target.open && event.target.matches('details.a')) fill(event.target); }, true);
const boxes = all('section.answers').map(box => ({ box, cards: all('details.a', box), form: box.querySelector('form'), limit: STEP }));
const wanted = form => Object.fromEntries(KEYS.map(key => [key, form.elements[key]?.value ?? '']));
const show = ({ box, cards, form, limit }) => {
  const want = wanted(form);
  let fits = 0;
  for (const card of cards) {
    const fit = KEYS.every(key => !want[key] || (key === 'cwe' ? card.dataset.cwe.split(' ').includes(want.cwe) : card.dataset[key] === want[key]));
    card.hidden = !fit || ++fits > limit;
  }
  box.querySelector('output').textContent = `${fits} of ${cards.length} answers` + (fits > limit ? `, the first ${limit} shown` : '');
  box.querySelector('button.more').hidden = fits <= limit;
};
const dialog = d.querySelector('dialog');
const side = keys => {
  const columns = ['a', 'b'].map(key => d.getElementById(keys[key])).filter(card => card?.matches('details.a')).map(card => {
    const copy = card.cloneNode(true);
    copy.removeAttribute('id');
    copy.hidden = false;
    copy.open = true;
    fill(copy);
    return copy;
  });
  if (!columns.length) return;
  dialog.querySelector('.two').replaceChildren(...columns);
  if (!dialog.open) dialog.showModal();
};
dialog.addEventListener('close', () => history.replaceState(null, '', '#' + (dialog.dataset.back ?? '')));
const go = () => {
  let id = '', want = {};
  try {
    const [head, query = ''] = location.hash.slice(1).split('?');
    id = decodeURIComponent(head);
    want = Object.fromEntries(query.split(';').filter(Boolean).map(pair => pair.split('=').map(decodeURIComponent)));
  } catch { return; }
  if (id === 'side') return side(want);
  dialog.dataset.back = location.hash.slice(1);
  if (dialog.open) dialog.close();
  const target = d.getElementById(id), entry = boxes.find(({ box }) => box === target);
  if (entry) {
    for (const key of KEYS) {
      const select = entry.form.elements[key];
      if (select) { select.value = want[key] ?? ''; if (select.selectedIndex < 0) select.value = ''; }
    }
    entry.limit = STEP;
    show(entry);
  } else if (target?.matches('details.a')) {
    target.hidden = false;
    target.open = true;
  } else return;
  target.scrollIntoView();
};
for (const entry of boxes) {
  entry.form.addEventListener('change', () => {
    const want = wanted(entry.form), query = KEYS.filter(key => want[key]).map(key => `${key}=${encodeURIComponent(want[key])}`).join(';');
    history.replaceState(null, '', `#${entry.box.id}${query && '?' + query}`);
    entry.limit = STEP;
    show(entry);
  });
  entry.form.addEventListener('submit', event => event.preventDefault());
  entry.form.addEventListener('reset', () => setTimeout(() => entry.form.dispatchEvent(new Event('change'))));
  entry.box.querySelector('button.more').addEventListener('click', () => { entry.limit += 5 * STEP; show(entry); });
  show(entry);
}
for (const table of all('table.heat[data-subject]')) {
  const heads = all('thead th', table), part = table.closest('section').id.replace(/-heat$/, '');
  for (const cell of all('td[class]', table)) {
    const link = d.createElement('a'), value = text => encodeURIComponent(text.trim());
    link.href = `#${part}-answers?subject=${value(table.dataset.subject)};persona=${value(cell.parentNode.cells[0].textContent)};cwe=${value(heads[cell.cellIndex].textContent)}`;
    link.textContent = cell.textContent;
    cell.replaceChildren(link);
  }
}
addEventListener('hashchange', go);
go();
})();
