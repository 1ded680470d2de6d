module.exports = (command) => (command === 'stop' ? 'idle' : 'running');
