module.exports = { idle: require('./idle'), running: require('./running') };
