// What scripts that mean no good do; each is to end alone, with an entry that says why.
const deeds = {
  loop: () => { for (;;) {} },
  exit: () => process.exit(3),
  reject: () => { Promise.reject(new Error('nobody looks')); },
  array: () => { const kept = []; for (;;) { kept.push(new Array(1e6).fill(kept.length)); } },
  fork: () => { for (let n = 0; n < 100; n += 1) require('child_process').spawn('sh', ['-c', 'sleep 100']); },
  environment: () => { logger.info(JSON.stringify(process.env)); done(); },
  files: () => { logger.info(require('fs').readFileSync('$FOLDER/demo.json', 'utf8')); done(); },
  others: () => { logger.info(require('fs').readdirSync('$FOLDER/bundles').join()); done(); },
};

function onActionCreated({ action }) {
  deeds[action.customFields.deed]();
}
