/** Every contender pays for the start and the end of a process, which are all that this program does. */
process.exit();
